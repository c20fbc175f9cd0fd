import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { Service } from "../../service.js";
import type { FittedServices } from "../pod-target.js";
import { fitPorts, portProtocolOf } from "../port-services.js";

const MOST_PORTS = 256; // of one range, since each is listed by itself

/** Everything but TCP, which a mesh does not look at. */
export const NOT_TCP: readonly Service[] = Array.from({ length: 256 }, (_, protocol) => protocol)
  .filter((protocol) => protocol !== PROTOCOL_NUMBERS.tcp)
  .map((protocol) => ({ kind: "protocol", protocol }));

/** TCP ports one by one, or all of them. What is not TCP passes anyway, so a rule need not say it. */
export function fitServices(services: readonly Service[]): FittedServices {
  const all: Service = { kind: "protocol", protocol: PROTOCOL_NUMBERS.tcp };
  const wanted = services.map((service) => (service.kind === "any" ? all : service));
  const { said, lost } = fitPorts(
    "Istio",
    wanted.filter((service) => portProtocolOf(service) === "tcp"),
  );
  const isWide = (service: Service) =>
    service.kind === "ports" && service.ports.first > 0 && service.ports.last - service.ports.first >= MOST_PORTS;
  const wide = said.filter(isWide);
  if (wide.length === 0) return { said, lost };
  const text = `Istio lists ports one by one: ranges of more than ${MOST_PORTS} are left out.`;
  return { said: said.filter((service) => !isWide(service)), lost: [...lost, { services: wide, text }] };
}

/** Ports as texts; absent means all. Takes what `fitServices` said. */
export function portsOf(services: readonly Service[]): string[] | undefined {
  const ports: string[] = [];
  for (const service of services) {
    if (service.kind !== "ports" || service.ports.first === 0) return undefined;
    for (let port = service.ports.first; port <= service.ports.last; port++) ports.push(String(port));
  }
  return ports;
}
