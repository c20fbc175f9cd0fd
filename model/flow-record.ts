/** How a flow ended as far as it was seen. */
export const OUTCOMES = ["answered", "refused", "unanswered", "midstream"] as const;
/**
 * - `answered`: the responder accepted: TCP SYN-ACK (or data both ways after an observed SYN), SCTP INIT-ACK, a UDP or ICMP reply.
 * - `refused`: the responder or a router said no: TCP RST to a SYN, SCTP ABORT, ICMP unreachable or prohibited.
 * - `unanswered`: nothing came back while we watched.
 * - `midstream`: the opening was not seen, so neither of the above can be claimed.
 */
export type Outcome = (typeof OUTCOMES)[number];

/** How we know who opened the flow, strongest first. */
export const EVIDENCE = [
  "syn",
  "syn-ack",
  "init",
  "request",
  "socket",
  "config",
  "service-port",
  "first-packet",
] as const;
/**
 * - `syn`: a SYN without ACK was seen from the originator. `syn-ack`: only the answer was seen, so it is the other side.
 * - `init`: SCTP INIT, the same as `syn`. `request`: the payload says so (DNS query bit, ICMP echo request, DHCP op).
 * - `socket`: a local socket table had the responder listening. `config`: declared by the user.
 * - `service-port`: a guess by port numbers. `first-packet`: a guess, the sender of the first packet seen.
 */
export type DirectionEvidence = (typeof EVIDENCE)[number];

/** Whether the evidence is an observation rather than a guess. */
export function isCertain(evidence: DirectionEvidence): boolean {
  return EVIDENCE.indexOf(evidence) <= EVIDENCE.indexOf("config");
}

export const NAME_SOURCES = ["dns", "sni", "http-host"] as const;
export type NameSource = (typeof NAME_SOURCES)[number];

/** A name of the responder as the wire told it: hostile text, to be shown and never run. */
export interface ObservedName {
  readonly name: string;
  readonly source: NameSource;
}

/** One encapsulation around a flow, e.g. `{ kind: "vxlan", id: 42, outer: "192.0.2.1>192.0.2.2" }`. */
export interface TunnelHop {
  readonly kind: string; // "gre" | "vxlan" | "geneve" | "gtpu" | "ipip" | "6in4" | "teredo" | "erspan" | "mpls" | "pppoe" | "l2tp" ...
  readonly id?: number; // VNI, key, TEID, label: where the format has one
  readonly outer?: string; // "source>destination" of the enclosing IP packet, of the first packet seen; absent below IP
}

export interface FlowSide {
  readonly address: string; // canonical text, see formatAddress
  readonly port: number; // host order; 0 where the protocol has none
  readonly packets: number;
  readonly bytes: number; // IP bytes including the IP header; exact below 2 ** 53
  readonly tcpFlags: number; // union of the TCP flag byte over the side's packets; 0 for other protocols
}

/** What one collector saw of one five-tuple in one span: all packets of both directions, originator first. */
export interface FlowRecord {
  readonly protocol: number; // IP protocol number
  readonly originator: FlowSide;
  readonly responder: FlowSide;
  readonly startUs: number; // microseconds since the Unix epoch; exact below 2 ** 53
  readonly endUs: number; // time of the last packet, inclusive
  readonly outcome: Outcome;
  readonly evidence: DirectionEvidence;
  readonly names: readonly ObservedName[];
  /** ICMP type and code of the originator's first packet; for ICMP and ICMPv6 only. */
  readonly icmp?: { readonly type: number; readonly code: number };
  readonly vlan: readonly number[]; // VLAN ids, outermost first
  readonly tunnel: readonly TunnelHop[]; // encapsulations, outermost first
  readonly depth: number; // how many IP headers enclose this flow's own; 0 is the outermost
}
