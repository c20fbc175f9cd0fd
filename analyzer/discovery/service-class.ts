import { hasPorts } from "../../model/protocol.js";
import type { Service } from "../../policy/service.js";
import type { Admitted } from "./admission.js";
import { dynamicRange } from "./dynamic-ports.js";
import type { History } from "./history.js";
import type { DiscoveryOptions } from "./options.js";

/** What a rule is about: one service, or ports that belong together. Equal classes have equal keys. */
export interface ServiceClass {
  readonly key: string; // e.g. "tcp/443", "dns", "udp/49152-65535", "icmp/8", "protocol/47"
  readonly services: readonly Service[]; // sorted
  readonly ports: number; // how many (protocol, port) pairs it permits; 1 where there are no ports
}

const PORT_PROTOCOLS: ReadonlyMap<number, "tcp" | "udp" | "sctp"> = new Map([
  [6, "tcp"],
  [17, "udp"],
  [132, "sctp"],
]);
const DNS_PORT = 53;

const DNS: ServiceClass = {
  key: "dns",
  services: [
    { kind: "ports", protocol: "tcp", ports: { first: DNS_PORT, last: DNS_PORT } },
    { kind: "ports", protocol: "udp", ports: { first: DNS_PORT, last: DNS_PORT } },
  ],
  ports: 2,
};

function portsClass(protocol: "tcp" | "udp" | "sctp", first: number, last: number): ServiceClass {
  const text = first === last ? String(first) : `${first}-${last}`;
  return {
    key: `${protocol}/${text}`,
    services: [{ kind: "ports", protocol, ports: { first, last } }],
    ports: last - first + 1,
  };
}

function portlessClass(history: History): ServiceClass {
  const { protocol, port } = history;
  if (protocol === 1 || protocol === 58) {
    const name = protocol === 1 ? "icmp" : "icmpv6";
    return { key: `${name}/${port}`, services: [{ kind: "icmp", protocol: name, type: port }], ports: 1 };
  }
  return {
    key: `protocol/${protocol}`,
    services: [{ kind: "protocol", protocol }],
    ports: hasPorts(protocol) ? 65536 : 1,
  };
}

/**
 * The class of each admitted history, by history id. A server that gives ports out dynamically gets one class for them
 * (see `dynamicRange`); DNS over UDP brings its TCP twin, because an answer that does not fit is asked for again over TCP.
 */
export function classifyServices(admitted: readonly Admitted[], options: DiscoveryOptions): Map<string, ServiceClass> {
  const byServer = new Map<string, History[]>();
  const resolvers = new Set<string>();
  for (const { history } of admitted) {
    if (!PORT_PROTOCOLS.has(history.protocol)) continue;
    if (history.protocol === 17 && history.port === DNS_PORT) resolvers.add(history.server.key);
    const key = `${history.server.key}/${history.protocol}`;
    const list = byServer.get(key);
    if (list === undefined) byServer.set(key, [history]);
    else list.push(history);
  }
  const classes = new Map<string, ServiceClass>();
  const shared = new Map<string, ServiceClass>();
  const put = (history: History, made: ServiceClass) => {
    const known = shared.get(made.key) ?? made;
    shared.set(made.key, known);
    classes.set(history.id, known);
  };
  for (const { history } of admitted) {
    if (!PORT_PROTOCOLS.has(history.protocol)) put(history, portlessClass(history));
  }
  for (const histories of byServer.values()) {
    const dynamic = dynamicRange(histories, options);
    for (const history of histories) {
      const protocol = PORT_PROTOCOLS.get(history.protocol) as "tcp" | "udp" | "sctp";
      const isDns = history.port === DNS_PORT && protocol !== "sctp" && resolvers.has(history.server.key);
      if (isDns) put(history, DNS);
      else if (dynamic?.ports.has(history.port)) put(history, portsClass(protocol, dynamic.first, dynamic.last));
      else put(history, portsClass(protocol, history.port, history.port));
    }
  }
  return classes;
}
