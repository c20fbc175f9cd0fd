import type { Service } from "../../service.js";
import type { FittedServices } from "../pod-target.js";
import { fitPorts, portProtocolOf } from "../port-services.js";
import type { YamlValue } from "../yaml-text.js";

const MOST_PORTS = 40; // in one list, by the schema; the same for ICMP types

/**
 * TCP, UDP and SCTP with ports 1..65535, ICMP by type, or everything. An ICMP code cannot be said: it would allow every
 * code of the type, so such a service is left out.
 */
export function fitServices(services: readonly Service[]): FittedServices {
  if (services.some((service) => service.kind === "any")) return { said: [{ kind: "any" }], lost: [] };
  const { said, lost } = fitPorts("CiliumNetworkPolicy", services);
  const more: FittedServices["lost"][number][] = [];
  const coded = services.filter((service) => service.kind === "icmp" && service.code !== undefined);
  if (coded.length > 0) {
    more.push({
      services: coded,
      text: "CiliumNetworkPolicy knows ICMP types, not codes: types with a code are left out.",
    });
  }
  const icmp = services.filter((service) => service.kind === "icmp" && service.code === undefined);
  const others = services.filter((service) => service.kind === "protocol" && portProtocolOf(service) === undefined);
  if (others.length > 0) {
    more.push({
      services: others,
      text: "CiliumNetworkPolicy knows TCP, UDP, SCTP and ICMP only: other protocols are left out.",
    });
  }
  return { said: [...said, ...icmp], lost: [...lost, ...more] };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/**
 * The services of one rule as the parts that go into one object each: `toPorts` and `icmps` exclude each other. One empty
 * part means everything. Takes what `fitServices` said.
 */
export function servicePartsOf(services: readonly Service[], dns: boolean): Record<string, YamlValue>[] {
  if (services.some((service) => service.kind === "any")) return [{}];
  const ports: YamlValue[] = [];
  const types = new Map<string, YamlValue>();
  for (const service of services) {
    if (service.kind === "ports") {
      const { first, last } = service.ports;
      const protocol = service.protocol.toUpperCase();
      // Port 0 stands for every port of the protocol.
      ports.push({ port: String(first), ...(first > 0 && last > first ? { endPort: last } : {}), protocol });
    } else if (service.kind === "icmp") {
      const family = service.protocol === "icmp" ? "IPv4" : "IPv6";
      const wanted = service.type === undefined ? Array.from({ length: 256 }, (_, type) => type) : [service.type];
      for (const type of wanted) types.set(`${family} ${type}`, { type, family });
    }
  }
  const rules = dns ? { rules: { dns: [{ matchPattern: "*" }] } } : {};
  return [
    ...chunks(ports, MOST_PORTS).map((list) => ({ toPorts: [{ ports: list, ...rules }] })),
    ...chunks([...types.values()], MOST_PORTS).map((fields) => ({ icmps: [{ fields }] })),
  ];
}
