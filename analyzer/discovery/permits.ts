import type { Service } from "../../policy/service.js";
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
  const byRoles = new Map<string, { rule: MinedRule; clients: Set<string>; servers: Set<string> }[]>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.clientRole.name, rule.serverRole.name]);
    const entry = {
      rule,
      clients: new Set(rule.clients.map((client) => client.key)),
      servers: new Set(rule.servers.map((server) => server.key)),
    };
    const list = byRoles.get(key);
    if (list === undefined) byRoles.set(key, [entry]);
    else list.push(entry);
  }
  return ({ client, server, protocol, port }) => {
    const key = JSON.stringify([roles.of.get(client.key)?.name, roles.of.get(server.key)?.name]);
    return (byRoles.get(key) ?? []).some(
      ({ rule, clients, servers }) =>
        clients.has(client.key) &&
        servers.has(server.key) &&
        rule.service.services.some((service) => serves(service, protocol, port)),
    );
  };
}
