import { mergePortRanges, type PortRange } from "../../../model/port-range.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { NamedService, ServiceMatch } from "../../decision/program.js";
import { type ServiceInterval, servicePoint } from "../../decision/service-line.js";
import type { ManifestNode } from "../manifest/manifest-node.js";

/** The protocols that Kubernetes policies can name. */
const PROTOCOLS = { TCP: PROTOCOL_NUMBERS.tcp, UDP: PROTOCOL_NUMBERS.udp, SCTP: PROTOCOL_NUMBERS.sctp } as const;
export const PORT_PROTOCOLS = Object.values(PROTOCOLS);

/** `TCP`, `UDP` or `SCTP`; TCP when absent. */
export function parsePortProtocol(node: ManifestNode | undefined): number {
  return node === undefined || node.isNull ? PROTOCOLS.TCP : PROTOCOLS[node.choice(["TCP", "UDP", "SCTP"])];
}

export function parsePortName(node: ManifestNode): string {
  const name = node.text();
  // The rules of RFC 6335, which the API server applies.
  if (!/^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(name)) {
    throw node.error(`Cannot read port "${name}": wanted a number or a name of at most 15 characters a-z, 0-9 and "-"`);
  }
  return name;
}

export function intervalsOfPorts(protocol: number, ports: readonly PortRange[]): ServiceInterval[] {
  return mergePortRanges(ports).map(({ first, last }) => ({
    first: servicePoint(protocol, first),
    last: servicePoint(protocol, last),
  }));
}

/** One item of `ports` of a NetworkPolicy rule. */
export function parsePolicyPort(node: ManifestNode): ServiceMatch {
  const { protocol, port, endPort } = node.knownFields(["protocol", "port", "endPort"]);
  const number = parsePortProtocol(protocol);
  if (port === undefined || port.isNull) {
    if (endPort !== undefined && !endPort.isNull)
      throw endPort.error(`Cannot read ${endPort.field}: wanted port beside it`);
    return { intervals: intervalsOfPorts(number, [{ first: 0, last: 65535 }]), named: [] };
  }
  if (port.isText) {
    if (endPort !== undefined && !endPort.isNull) {
      throw endPort.error(
        `Cannot read ${endPort.field}: wanted a port number beside it, not the name "${port.text()}"`,
      );
    }
    return { intervals: [], named: [{ protocol: number, name: parsePortName(port) }] };
  }
  const first = port.integer(1, 65535);
  const last = endPort === undefined || endPort.isNull ? first : endPort.integer(first, 65535);
  return { intervals: intervalsOfPorts(number, [{ first, last }]), named: [] };
}

/** The union of what several items allow. */
export function uniteServices(matches: readonly ServiceMatch[]): ServiceMatch {
  const named = new Map<string, NamedService>();
  for (const match of matches) for (const each of match.named) named.set(`${each.protocol}/${each.name}`, each);
  return { intervals: matches.flatMap((match) => match.intervals), named: [...named.values()] };
}
