import type { Service } from "../../service.js";
import type { FittedServices } from "../pod-target.js";
import { fitPorts, portProtocolOf } from "../port-services.js";
import type { YamlValue } from "../yaml-text.js";

const MOST_PORTS = 50; // of one entity
const HIGHEST_ICMP_TYPE = 254; // by the schema

/**
 * TCP, UDP and SCTP with ports 1..65535, ICMP by type and code, protocols by number 1..255, or everything. An ICMP code
 * needs its type.
 */
export function fitServices(services: readonly Service[]): FittedServices {
  if (services.some((service) => service.kind === "any")) return { said: [{ kind: "any" }], lost: [] };
  const { said, lost } = fitPorts("Calico", services);
  const more: FittedServices["lost"][number][] = [];
  const others: Service[] = [];
  const refuse = (service: Service, text: string) => more.push({ services: [service], text });
  for (const service of services) {
    if (service.kind === "icmp") {
      if (service.type === undefined && service.code !== undefined) {
        refuse(service, "Calico knows an ICMP code only together with its type: the code alone is left out.");
      } else if ((service.type ?? 0) > HIGHEST_ICMP_TYPE) {
        refuse(service, `Calico knows ICMP types up to ${HIGHEST_ICMP_TYPE}: type ${service.type} is left out.`);
      } else others.push(service);
    } else if (service.kind === "protocol" && portProtocolOf(service) === undefined) {
      if (service.protocol === 0) refuse(service, "Calico protocols start at 1: protocol 0 is left out.");
      else others.push(service);
    }
  }
  return { said: [...said, ...others], lost: [...lost, ...more] };
}

/** What a rule says of the protocol, and the ports that belong into its destination. */
export interface ServicePart {
  readonly rule: Record<string, YamlValue>;
  readonly ports: readonly YamlValue[] | undefined; // absent: all
}

/** One part for each rule that is needed: ports need a protocol, and a rule has one. Takes what `fitServices` said. */
export function servicePartsOf(services: readonly Service[]): ServicePart[] {
  const parts: ServicePart[] = [];
  const ports = new Map<string, YamlValue[]>();
  for (const service of services) {
    switch (service.kind) {
      case "any":
        return [{ rule: {}, ports: undefined }];
      case "ports": {
        const { first, last } = service.ports;
        const protocol = service.protocol.toUpperCase();
        if (first === 0) parts.push({ rule: { protocol }, ports: undefined });
        // A range is a text with a colon, a single port a number.
        else ports.set(protocol, [...(ports.get(protocol) ?? []), first === last ? first : `${first}:${last}`]);
        break;
      }
      case "icmp": {
        const protocol = service.protocol === "icmp" ? "ICMP" : "ICMPv6";
        const { type, code } = service;
        const icmp = type === undefined ? {} : { icmp: { type, ...(code === undefined ? {} : { code }) } };
        parts.push({ rule: { protocol, ...icmp }, ports: undefined });
        break;
      }
      case "protocol":
        parts.push({ rule: { protocol: service.protocol }, ports: undefined });
        break;
    }
  }
  for (const [protocol, list] of ports) {
    for (let at = 0; at < list.length; at += MOST_PORTS) {
      parts.push({ rule: { protocol }, ports: list.slice(at, at + MOST_PORTS) });
    }
  }
  return parts;
}
