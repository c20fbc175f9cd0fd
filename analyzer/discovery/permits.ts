import type { Service } from "../../policy/service.js";
import type { Endpoint } from "./endpoint.js";
import type { History } from "./history.js";
import type { Learned } from "./learn.js";
import type { MinedRule } from "./rules.js";

const NUMBERS = { tcp: 6, udp: 17, sctp: 132, icmp: 1, icmpv6: 58 } as const;

function serves(service: Service, protocol: number, port: number): boolean {
  switch (service.kind) {
    case "ports":
      return NUMBERS[service.protocol] === protocol && service.ports.first <= port && port <= service.ports.last;
    case "icmp":
      return NUMBERS[service.protocol] === protocol && (service.type === undefined || service.type === port);
    case "protocol":
      return service.protocol === protocol;
    case "any":
      return true;
  }
}

/** Whether the mined rules permit a conversation, before any selector widens them: the question of the backtest. */
export function permitter({ rules, roles }: Learned): (history: History) => boolean {
  const byRoles = new Map<string, MinedRule[]>();
  for (const rule of rules) {
    const key = `${rule.clientRole.name}\0${rule.serverRole.name}`;
    const list = byRoles.get(key);
    if (list === undefined) byRoles.set(key, [rule]);
    else list.push(rule);
  }
  const isMember = memberTest();
  return ({ client, server, protocol, port }) => {
    const key = `${roles.of.get(client.key)?.name}\0${roles.of.get(server.key)?.name}`;
    return (byRoles.get(key) ?? []).some(
      ({ clients, servers, service }) =>
        service.services.some((each) => serves(each, protocol, port)) &&
        isMember(clients, client.key) &&
        isMember(servers, server.key),
    );
  };
}

/** Membership in lists of endpoints; long ones are turned into sets when they are first asked about. */
function memberTest(): (endpoints: readonly Endpoint[], key: string) => boolean {
  const sets = new Map<readonly Endpoint[], Set<string>>();
  return (endpoints, key) => {
    if (endpoints.length <= 4) return endpoints.some((endpoint) => endpoint.key === key);
    const set = sets.get(endpoints) ?? new Set(endpoints.map((endpoint) => endpoint.key));
    sets.set(endpoints, set);
    return set.has(key);
  };
}
