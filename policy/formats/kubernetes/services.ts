import type { Service } from "../../service.js";
import type { FittedServices } from "../pod-target.js";
import { fitPorts, portProtocolOf } from "../port-services.js";

/**
 * TCP, UDP and SCTP with ports 1..65535, one of them as a whole, or everything. There is no ICMP and no other
 * protocol, and port 0 exists only as part of "all ports".
 */
export function fitServices(services: readonly Service[]): FittedServices {
  if (services.some((service) => service.kind === "any")) return { said: [{ kind: "any" }], lost: [] };
  const { said, lost } = fitPorts("NetworkPolicy", services);
  const unknown = services.filter((service) => portProtocolOf(service) === undefined);
  if (unknown.length === 0) return { said, lost };
  const text = "NetworkPolicy knows TCP, UDP and SCTP only: ICMP and other protocols are left out.";
  return { said, lost: [{ services: unknown, text }, ...lost] };
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
