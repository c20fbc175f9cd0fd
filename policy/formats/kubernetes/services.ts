import { ALL_PORTS, mergePortRanges, type PortRange } from "../../../model/port-range.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { Service } from "../../service.js";
import type { FittedServices } from "../pod-target.js";

const PORT_PROTOCOLS = ["tcp", "udp", "sctp"] as const;
const LOWEST_PORT = 1;

function protocolOf(service: Service): (typeof PORT_PROTOCOLS)[number] | undefined {
  if (service.kind === "ports") return service.protocol;
  if (service.kind !== "protocol") return undefined;
  return PORT_PROTOCOLS.find((name) => PROTOCOL_NUMBERS[name] === service.protocol);
}

/**
 * TCP, UDP and SCTP with ports 1..65535, one of them as a whole, or everything. There is no ICMP and no other
 * protocol, and port 0 exists only as part of "all ports".
 */
export function fitServices(services: readonly Service[]): FittedServices {
  if (services.some((service) => service.kind === "any")) return { said: [{ kind: "any" }], lost: [] };
  const said: Service[] = [];
  const lost: { services: Service[]; text: string }[] = [];
  const unknown = services.filter((service) => protocolOf(service) === undefined);
  if (unknown.length > 0) {
    lost.push({
      services: unknown,
      text: "NetworkPolicy knows TCP, UDP and SCTP only: ICMP and other protocols are left out.",
    });
  }
  for (const protocol of PORT_PROTOCOLS) {
    const ranges = services
      .filter((service) => protocolOf(service) === protocol)
      .map((service): PortRange => (service.kind === "ports" ? service.ports : ALL_PORTS));
    for (const range of mergePortRanges(ranges)) {
      const isAll = range.first === 0 && range.last === 65535;
      if (range.first < LOWEST_PORT && !isAll) {
        lost.push({
          services: [{ kind: "ports", protocol, ports: { first: 0, last: 0 } }],
          text: `NetworkPolicy ports start at 1: ${protocol} port 0 is left out.`,
        });
      }
      const first = isAll ? 0 : Math.max(range.first, LOWEST_PORT);
      if (first <= range.last) said.push({ kind: "ports", protocol, ports: { first, last: range.last } });
    }
  }
  return { said, lost };
}

/** The `ports` list of a rule; `undefined` means all of them and every protocol. Takes what `fitServices` said. */
export function portsOf(
  services: readonly Service[],
): { protocol: string; port?: number; endPort?: number }[] | undefined {
  const ports: { protocol: string; port?: number; endPort?: number }[] = [];
  for (const service of services) {
    if (service.kind !== "ports") return undefined;
    const { first, last } = service.ports;
    const protocol = service.protocol.toUpperCase();
    if (first === 0) ports.push({ protocol });
    else ports.push({ protocol, port: first, ...(last > first ? { endPort: last } : {}) });
  }
  return ports;
}
