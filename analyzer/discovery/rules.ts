import type { AddressGroup } from "../../model/workload.js";
import type { AllowRule, Widening } from "../../policy/allow-rule.js";
import { classOfAddress } from "./address-class.js";
import type { Admitted } from "./admission.js";
import { confidenceOf } from "./confidence.js";
import type { Endpoint } from "./endpoint.js";
import { type EvidenceContext, evidenceOf } from "./evidence.js";
import type { DiscoveryOptions } from "./options.js";
import { choosePeer, type PeerChoice, type PeerContext, publicPeer } from "./peer-choice.js";
import type { Role, Roles } from "./roles.js";
import { ruleId } from "./rule-id.js";
import { describeRule } from "./rule-reason.js";
import type { ServiceClass } from "./service-class.js";
import { wideningsOf } from "./widenings.js";

/** Who may use which service of whom, in roles and endpoints, before it is written as selectors and evidence. */
export interface MinedRule {
  readonly clientRole: Role;
  readonly serverRole: Role;
  readonly service: ServiceClass;
  readonly clients: readonly Endpoint[]; // sorted by key
  readonly servers: readonly Endpoint[];
  readonly admitted: readonly Admitted[]; // the conversations behind it, sorted by history id
}

function sortedEndpoints(endpoints: readonly Endpoint[]): Endpoint[] {
  if (endpoints.length === 1) return [...endpoints];
  const unique = new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]));
  return [...unique.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Whether the whole client role may do what some of its members were seen doing. Two members of a declared role are
 * enough, for the declaration says that they are alike. A role inferred from profiles must also have used a fair share
 * of its pairs, or one busy pair of hosts would speak for a crowd.
 */
function isGeneral(role: Role, clients: number, pairs: number, servers: number, options: DiscoveryOptions): boolean {
  if (role.basis === "outside") return false;
  if (role.members.length === clients) return true;
  if (clients < options.supportClients) return false;
  return role.basis === "labels" || pairs >= options.supportDensity * role.members.length * servers;
}

/**
 * Role by role by service. A rule speaks of whole roles where there is support for it, of the hosts seen otherwise; its
 * servers are cut back to those that were seen offering the service to somebody.
 */
export function mineRules(
  admitted: readonly Admitted[],
  classes: ReadonlyMap<string, ServiceClass>,
  roles: Roles,
  options: DiscoveryOptions,
): MinedRule[] {
  const cells = new Map<string, { clientRole: Role; serverRole: Role; service: ServiceClass; admitted: Admitted[] }>();
  const listeners = new Map<string, Map<string, Endpoint>>(); // role and service to the members that offer it
  for (const item of admitted) {
    const { history } = item;
    const clientRole = roles.of.get(history.client.key) as Role;
    const serverRole = roles.of.get(history.server.key) as Role;
    const service = classes.get(history.id) as ServiceClass;
    const offer = `${serverRole.name}\0${service.key}`; // no name holds a NUL
    const key = `${clientRole.name}\0${offer}`;
    const offering = listeners.get(offer);
    if (offering === undefined) listeners.set(offer, new Map([[history.server.key, history.server]]));
    else offering.set(history.server.key, history.server);
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { clientRole, serverRole, service, admitted: [item] });
    else cell.admitted.push(item);
  }
  const mined: MinedRule[] = [];
  for (const key of [...cells.keys()].sort()) {
    const cell = cells.get(key) as NonNullable<ReturnType<typeof cells.get>>;
    const { clientRole, serverRole, service } = cell;
    const clients = sortedEndpoints(cell.admitted.map(({ history }) => history.client));
    const servers = sortedEndpoints(cell.admitted.map(({ history }) => history.server));
    const general = isGeneral(clientRole, clients.length, cell.admitted.length, servers.length, options);
    const isServerGeneral = general && servers.length >= 2 && serverRole.basis !== "outside";
    const offering = listeners.get(`${serverRole.name}\0${service.key}`) as Map<string, Endpoint>;
    mined.push({
      ...cell,
      clients: general ? clientRole.members : clients,
      servers: isServerGeneral ? sortedEndpoints([...offering.values()]) : servers,
    });
  }
  return mined;
}

const familyOf = (endpoint: Endpoint): 4 | 6 => (endpoint.kind === "address" && endpoint.address.includes(":") ? 6 : 4);

/** Clients of a rule as peers: one, or for a public service one per address family. */
function clientPeers(rule: MinedRule, id: string, context: PeerContext): PeerChoice[] {
  const { clients, clientRole } = rule;
  const outside = clients.filter((client) => client.kind === "address" && classOfAddress(client.address) === "global");
  const isDeclared = context.inventory.groups.some(({ name }) => clientRole.name === `outside/${name}`);
  if (clientRole.basis === "outside" && !isDeclared && outside.length >= context.options.publicClients) {
    const families = ([4, 6] as const).filter((family) => outside.some((client) => familyOf(client) === family));
    return families.map((family) =>
      publicPeer(
        outside.filter((client) => familyOf(client) === family),
        family,
      ),
    );
  }
  return [choosePeer(clients, clientRole, `${id}-clients`, context)];
}

/** A mined rule as allow rules, with the groups of addresses they need. */
export function writeRule(
  mined: MinedRule,
  context: PeerContext,
  evidenceContext: EvidenceContext,
): { rules: AllowRule[]; groups: AddressGroup[] } {
  const { clientRole, serverRole, service, admitted } = mined;
  const id = ruleId(clientRole.name, serverRole.name, service.key);
  const server = choosePeer(mined.servers, serverRole, `${id}-servers`, context);
  const clients = clientPeers(mined, id, context);
  const groups = [server, ...clients].flatMap((choice) => choice.group ?? []);
  const rules = clients.map((client, i): AllowRule => {
    const own =
      clients.length === 1 ? admitted : admitted.filter(({ history }) => client.permits.includes(history.client.key));
    const widenings: Widening[] = wideningsOf({ mined, client, server, admitted: own });
    return {
      id: i === 0 ? id : `${id}-${i + 1}`,
      client: client.peer,
      server: server.peer,
      services: service.services,
      reason: describeRule(mined, own, evidenceContext),
      confidence: confidenceOf(own, evidenceContext),
      evidence: evidenceOf(own, evidenceContext),
      widenings,
    };
  });
  return { rules, groups };
}
