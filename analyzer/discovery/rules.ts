import type { AddressGroup } from "../../model/workload.js";
import type { AllowRule, Widening } from "../../policy/allow-rule.js";
import { networkOf } from "./address-class.js";
import type { Admitted } from "./admission.js";
import { confidenceOf } from "./confidence.js";
import type { Endpoint } from "./endpoint.js";
import { type EvidenceContext, evidenceOf } from "./evidence.js";
import { acquaintance, generalise, type SeenCell } from "./generalise.js";
import type { DiscoveryOptions } from "./options.js";
import { choosePeer, type PeerChoice, type PeerContext, publicPeers } from "./peer-choice.js";
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
  readonly part: string; // "" or, where two roles and a service need several rules, what tells this one from the others
}

/** Role by role by service, and in as many rules as the seen and the likely pairs need; see `generalise`. */
export function mineRules(
  admitted: readonly Admitted[],
  classes: ReadonlyMap<string, ServiceClass>,
  roles: Roles,
  options: DiscoveryOptions,
): MinedRule[] {
  const cells = new Map<string, SeenCell & { admitted: Admitted[] }>();
  for (const item of admitted) {
    const { history } = item;
    const clientRole = roles.of.get(history.client.key) as Role;
    const serverRole = roles.of.get(history.server.key) as Role;
    const service = classes.get(history.id) as ServiceClass;
    const key = `${clientRole.name}\0${serverRole.name}\0${service.key}`; // no name holds a NUL
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { clientRole, serverRole, service, admitted: [item] });
    else cell.admitted.push(item);
  }
  const known = acquaintance(admitted, classes, roles.of);
  const mined: MinedRule[] = [];
  for (const key of [...cells.keys()].sort()) {
    const cell = cells.get(key) as NonNullable<ReturnType<typeof cells.get>>;
    const made = generalise(cell, known, options);
    for (const rectangle of made) {
      const servers = new Set(rectangle.servers.map((server) => server.key));
      const own =
        made.length === 1 ? cell.admitted : cell.admitted.filter(({ history }) => servers.has(history.server.key));
      if (own.length > 0)
        mined.push({ ...cell, ...rectangle, admitted: own, part: made.length === 1 ? "" : [...servers].join() });
    }
  }
  return mined;
}

/** Clients of a rule as peers: one, or for a public service one per address family. */
function clientPeers(rule: MinedRule, id: string, context: PeerContext): PeerChoice[] {
  const { clients, clientRole } = rule;
  const isDeclared = context.inventory.groups.some(({ name }) => clientRole.name === `outside/${name}`);
  const networks = new Set(
    clients.flatMap((client) => (client.kind === "address" ? (networkOf(client.address) ?? []) : [])),
  );
  if (clientRole.basis === "outside" && !isDeclared && networks.size >= context.options.publicNetworks) {
    return publicPeers(clients, networks.size);
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
  const id = ruleId(clientRole.name, serverRole.name, service.key, mined.part);
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
