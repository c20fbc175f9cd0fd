import { ALL_PORTS, mergePortRanges, type PortRange } from "../../model/port-range.js";
import { PROTOCOL_NUMBERS } from "../../model/protocol.js";
import type { Service } from "../service.js";
import type { FittedServices } from "./pod-target.js";

export const PORT_PROTOCOLS = ["tcp", "udp", "sctp"] as const;
export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

const LOWEST_PORT = 1;

/** The protocol with ports that a service speaks, be it all of it. */
export function portProtocolOf(service: Service): PortProtocol | undefined {
  if (service.kind === "ports") return service.protocol;
  if (service.kind !== "protocol") return undefined;
  return PORT_PROTOCOLS.find((name) => PROTOCOL_NUMBERS[name] === service.protocol);
}

/**
 * Services with ports as formats know them that have ports 1..65535 and a way to say "all ports", which is the only one
 * that holds port 0. Ranges of one protocol are merged; services without ports are not looked at.
 */
export function fitPorts(target: string, services: readonly Service[]): FittedServices {
  const said: Service[] = [];
  const lost: { services: Service[]; text: string }[] = [];
  for (const protocol of PORT_PROTOCOLS) {
    const ranges = services
      .filter((service) => portProtocolOf(service) === protocol)
      .map((service): PortRange => (service.kind === "ports" ? service.ports : ALL_PORTS));
    for (const range of mergePortRanges(ranges)) {
      const isAll = range.first === 0 && range.last === 65535;
      if (range.first < LOWEST_PORT && !isAll) {
        lost.push({
          services: [{ kind: "ports", protocol, ports: { first: 0, last: 0 } }],
          text: `${target} ports start at 1: ${protocol} port 0 is left out.`,
        });
      }
      const first = isAll ? 0 : Math.max(range.first, LOWEST_PORT);
      if (first <= range.last) said.push({ kind: "ports", protocol, ports: { first, last: range.last } });
    }
  }
  return { said, lost };
}
