import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { NamedService, ServiceMatch } from "../../decision/program.js";
import { mergeIntervals, type ServiceInterval, servicePoint } from "../../decision/service-line.js";
import type { ManifestNode } from "../manifest/manifest-node.js";

const WITH_PORTS: readonly number[] = [PROTOCOL_NUMBERS.tcp, PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.sctp];
const MOST_PORTS = 40; // in one list, by the schema; the same for ICMP fields

const PROTOCOLS: Readonly<Record<string, readonly number[]>> = {
  ANY: WITH_PORTS,
  TCP: [PROTOCOL_NUMBERS.tcp],
  UDP: [PROTOCOL_NUMBERS.udp],
  SCTP: [PROTOCOL_NUMBERS.sctp],
  VRRP: [PROTOCOL_NUMBERS.vrrp],
  IGMP: [PROTOCOL_NUMBERS.igmp],
};

const ICMP_NAMES: Readonly<Record<"IPv4" | "IPv6", Readonly<Record<string, number>>>> = {
  IPv4: {
    EchoReply: 0,
    DestinationUnreachable: 3,
    Redirect: 5,
    Echo: 8,
    EchoRequest: 8,
    RouterAdvertisement: 9,
    RouterSelection: 10,
    TimeExceeded: 11,
    ParameterProblem: 12,
    Timestamp: 13,
    TimestampReply: 14,
    Photuris: 40,
    ExtendedEchoRequest: 42,
    ExtendedEchoReply: 43,
  },
  IPv6: {
    DestinationUnreachable: 1,
    PacketTooBig: 2,
    TimeExceeded: 3,
    ParameterProblem: 4,
    EchoRequest: 128,
    EchoReply: 129,
    MulticastListenerQuery: 130,
    MulticastListenerReport: 131,
    MulticastListenerDone: 132,
    RouterSolicitation: 133,
    RouterAdvertisement: 134,
    NeighborSolicitation: 135,
    NeighborAdvertisement: 136,
    RedirectMessage: 137,
    RouterRenumbering: 138,
    ICMPNodeInformationQuery: 139,
    ICMPNodeInformationResponse: 140,
    InverseNeighborDiscoverySolicitation: 141,
    InverseNeighborDiscoveryAdvertisement: 142,
    HomeAgentAddressDiscoveryRequest: 144,
    HomeAgentAddressDiscoveryReply: 145,
    MobilePrefixSolicitation: 146,
    MobilePrefixAdvertisement: 147,
    DuplicateAddressRequestCodeSuffix: 157,
    DuplicateAddressConfirmationCodeSuffix: 158,
    ExtendedEchoRequest: 160,
    ExtendedEchoReply: 161,
  },
};

interface Spoken {
  readonly intervals: readonly ServiceInterval[];
  readonly named: readonly NamedService[];
}

function parsePort(node: ManifestNode): Spoken {
  const { port, endPort, protocol } = node.knownFields(["port", "endPort", "protocol"]);
  const protocols =
    protocol === undefined || protocol.text() === "" ? WITH_PORTS : PROTOCOLS[protocol.choice(Object.keys(PROTOCOLS))]!;
  if (port === undefined) throw node.error(`Cannot read ${node.field}: wanted port, a text such as "8080"`);
  const text = port.text();
  if (!/^\d+$/.test(text)) {
    if (!/^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(text) || !/[a-z]/.test(text)) {
      throw port.error(`Cannot read port "${text}": wanted a number in quotes or the name of a port`);
    }
    if (endPort !== undefined) throw endPort.error(`Cannot read ${endPort.field}: wanted a number in port beside it`);
    return { intervals: [], named: protocols.map((number) => ({ protocol: number, name: text })) };
  }
  const first = Number(text);
  if (first > 65535) throw port.error(`Cannot read port "${text}": wanted 0..65535`);
  const last = endPort === undefined ? first : endPort.integer(0, 65535);
  if (last !== 0 && last < first) throw endPort!.error(`Cannot read endPort "${last}": wanted ${first} or more`);
  const isAll = first === 0; // zero stands for every port
  return {
    named: [],
    intervals: protocols.map((number) => {
      if (!WITH_PORTS.includes(number) || isAll) return { first: number << 16, last: (number << 16) | 0xffff };
      return { first: servicePoint(number, first), last: servicePoint(number, Math.max(first, last)) };
    }),
  };
}

/** `toPorts`; `narrower` is told of every part that looks into the conversation. */
export function parseToPorts(node: ManifestNode, narrower: (what: string) => void): ServiceMatch | undefined {
  const spoken: Spoken[] = [];
  for (const item of node.items()) {
    const fields = item.knownFields([
      ...(["ports", "rules", "listener", "listeners", "terminatingTLS", "originatingTLS", "serverNames"] as const),
    ]);
    for (const [name, part] of Object.entries(fields)) {
      if (name === "ports" || part === undefined) continue;
      if (name === "rules") {
        for (const kind of Object.keys(part.knownFields(["http", "kafka", "dns", "l7", "l7proto"])))
          narrower(`${kind} rules`);
      } else narrower(name);
    }
    const ports = fields.ports?.items() ?? [];
    if (ports.length > MOST_PORTS)
      throw fields.ports!.error(`Cannot read ${fields.ports!.field}: wanted at most ${MOST_PORTS}`);
    if (ports.length === 0) return undefined;
    spoken.push(...ports.map(parsePort));
  }
  if (spoken.length === 0) return undefined;
  return {
    intervals: mergeIntervals(spoken.flatMap(({ intervals }) => intervals)),
    named: spoken.flatMap(({ named }) => named),
  };
}

/** `icmps`; the family is IPv4 unless it is given. */
export function parseIcmps(node: ManifestNode): ServiceMatch {
  const intervals = node.items().flatMap((item) => {
    const fields = item.knownFields(["fields"]).fields?.items() ?? [];
    if (fields.length > MOST_PORTS) throw item.error(`Cannot read ${item.field}.fields: wanted at most ${MOST_PORTS}`);
    return fields.map((field): ServiceInterval => {
      const { family, type } = field.knownFields(["family", "type"]);
      const of = family === undefined ? "IPv4" : family.choice(["IPv4", "IPv6"]);
      if (type === undefined) throw field.error(`Cannot read ${field.field}: wanted type`);
      const number = type.isText && !/^\d+$/.test(type.text()) ? ICMP_NAMES[of][type.text()] : undefined;
      const value = number ?? (type.isText ? Number(type.text()) : type.integer(0, 255));
      if (!(value <= 255)) throw type.error(`Cannot read ICMP type "${type.text()}": wanted 0..255 or a name of ${of}`);
      const protocol = of === "IPv4" ? PROTOCOL_NUMBERS.icmp : PROTOCOL_NUMBERS.icmpv6;
      return { first: servicePoint(protocol, value, 0), last: servicePoint(protocol, value, 255) };
    });
  });
  return { intervals: mergeIntervals(intervals), named: [] };
}
