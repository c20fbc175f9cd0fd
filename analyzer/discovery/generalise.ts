import type { Admitted } from "./admission.js";
import type { Endpoint } from "./endpoint.js";
import type { DiscoveryOptions } from "./options.js";
import type { Role } from "./roles.js";
import type { ServiceClass } from "./service-class.js";

/** Who was seen using one service between two roles. */
export interface SeenCell {
  readonly clientRole: Role;
  readonly serverRole: Role;
  readonly service: ServiceClass;
  readonly admitted: readonly Admitted[];
}

/** Clients that may use the service of each of these servers. Both sorted by key, neither empty. */
export interface Rectangle {
  readonly clients: readonly Endpoint[];
  readonly servers: readonly Endpoint[];
}

/** What is known beyond the one cell. */
export interface Acquaintance {
  isPair(client: string, server: string): boolean; // whether that client was seen using anything of that server
  isUser(client: string, service: string): boolean; // whether that client was seen using that class of service anywhere
  listeners(serverRole: Role, service: string): readonly Endpoint[]; // members seen offering it to anybody
}

export function acquaintance(
  admitted: readonly Admitted[],
  classes: ReadonlyMap<string, ServiceClass>,
  roleOf: ReadonlyMap<string, Role>,
): Acquaintance {
  const pairs = new Set<string>();
  const users = new Set<string>();
  const offers = new Map<string, Map<string, Endpoint>>();
  for (const { history } of admitted) {
    const { client, server } = history;
    const service = (classes.get(history.id) as ServiceClass).key;
    pairs.add(`${client.key}>${server.key}`);
    users.add(`${client.key}>${service}`);
    const offer = `${(roleOf.get(server.key) as Role).name}\0${service}`; // no name holds a NUL
    const offering = offers.get(offer);
    if (offering === undefined) offers.set(offer, new Map([[server.key, server]]));
    else offering.set(server.key, server);
  }
  const sorted = new Map([...offers].map(([offer, members]) => [offer, sortedEndpoints([...members.values()])]));
  return {
    isPair: (client, server) => pairs.has(`${client}>${server}`),
    isUser: (client, service) => users.has(`${client}>${service}`),
    listeners: ({ name }, service) => sorted.get(`${name}\0${service}`) ?? [],
  };
}

function sortedEndpoints(endpoints: readonly Endpoint[]): Endpoint[] {
  if (endpoints.length === 1) return [...endpoints];
  const unique = new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]));
  return [...unique.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * From the hosts seen to what a rule says, never beyond the roles and never to a server that nobody saw listening.
 *
 * A declared role is a promise that its members are alike: two clients of it speak for all, and if they used two
 * servers, for all that listen. A role inferred from profiles promises less, so each further pair must be likely by
 * itself: the client uses that service elsewhere, and already talks to that server about something else. On the network
 * this was measured on, no pair that lacked one of the two ever came, whatever the share of its role that had.
 */
export function generalise(cell: SeenCell, known: Acquaintance, options: DiscoveryOptions): Rectangle[] {
  const { clientRole, serverRole, service, admitted } = cell;
  const clients = sortedEndpoints(admitted.map(({ history }) => history.client));
  const servers = sortedEndpoints(admitted.map(({ history }) => history.server));
  if (clientRole.basis === "outside") return [{ clients, servers }];
  const listeners = serverRole.basis === "outside" ? servers : known.listeners(serverRole, service.key);
  if (clientRole.basis === "labels") {
    const isGeneral = clientRole.members.length === 1 || clients.length >= options.supportClients;
    const others = isGeneral && servers.length >= 2 ? listeners : servers;
    return [{ clients: isGeneral ? clientRole.members : clients, servers: others }];
  }
  const seen = new Set(admitted.map(({ history }) => `${history.client.key}>${history.server.key}`));
  const users = clientRole.members.filter(({ key }) => known.isUser(key, service.key));
  const isLikely = (client: Endpoint, server: Endpoint) =>
    seen.has(`${client.key}>${server.key}`) || known.isPair(client.key, server.key);
  return rectangles(users, listeners, isLikely, options.supportDensity);
}

/** Few rectangles that hold all likely pairs, and of which at least `density` is likely. */
function rectangles(
  clients: readonly Endpoint[],
  servers: readonly Endpoint[],
  isLikely: (client: Endpoint, server: Endpoint) => boolean,
  density: number,
): Rectangle[] {
  const made: { clients: Set<Endpoint>; servers: Endpoint[]; likely: number }[] = [];
  const rows = servers.map((server) => ({ server, likely: clients.filter((client) => isLikely(client, server)) }));
  // Servers with many clients first, so that those with fewer find a rectangle they fit into.
  for (const { server, likely } of rows.sort((a, b) => b.likely.length - a.likely.length)) {
    if (likely.length === 0) continue;
    const fit = made.find((rectangle) => {
      const width = new Set([...rectangle.clients, ...likely]).size;
      return rectangle.likely + likely.length >= density * width * (rectangle.servers.length + 1);
    });
    if (fit === undefined) {
      made.push({ clients: new Set(likely), servers: [server], likely: likely.length });
    } else {
      for (const client of likely) fit.clients.add(client);
      fit.servers.push(server);
      fit.likely += likely.length;
    }
  }
  return made.map((rectangle) => ({
    clients: sortedEndpoints([...rectangle.clients]),
    servers: sortedEndpoints(rectangle.servers),
  }));
}
