import { DONE, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

/** ICMP (RFC 792) and ICMPv6 (RFC 4443): | type 1 | code 1 | sum 2 | 4 | for errors: the packet that caused it ... | */
export function icmp(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 4) return packet.fail(TRUNCATED);
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.icmp = (bytes[at]! << 8) | bytes[at + 1]!;
  packet.payloadAt = Math.min(at + 8, packet.end);
  packet.payloadEnd = packet.end;
  return DONE;
}

/** How two messages of one exchange find each other: `type` is the request's. */
export interface IcmpExchange {
  readonly type: number;
  readonly role: "request" | "reply";
}

const V4: ReadonlyMap<number, IcmpExchange> = exchanges([
  [8, 0], // echo
  [10, 9], // router solicitation and advertisement
  [13, 14], // timestamp
  [15, 16], // information
  [17, 18], // address mask
  [33, 34], // IPv6 where-are-you
  [35, 36], // mobile registration
  [37, 38], // domain name
  [42, 43], // extended echo
]);

const V6: ReadonlyMap<number, IcmpExchange> = exchanges([
  [128, 129], // echo
  [133, 134], // router solicitation and advertisement
  [135, 136], // neighbor solicitation and advertisement
  [139, 140], // node information
  [144, 145], // home agent discovery
  [160, 161], // extended echo
]);

function exchanges(pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, IcmpExchange> {
  return new Map(
    pairs.flatMap(([request, reply]): [number, IcmpExchange][] => [
      [request, { type: request, role: "request" }],
      [reply, { type: request, role: "reply" }],
    ]),
  );
}

/** The exchange that a message type belongs to; `undefined` for one that wants no answer. */
export function icmpExchange(family: number, type: number): IcmpExchange | undefined {
  return (family === 4 ? V4 : V6).get(type);
}

/** The exchange of the packet at hand. An answer to a group is an announcement that nobody asked for. */
export function exchangeOf(packet: Packet): IcmpExchange | undefined {
  const exchange = icmpExchange(packet.family, packet.icmp >>> 8);
  const isAnnouncement = exchange?.role === "reply" && packet.addresses.isGroup(packet.family, packet.destination);
  return isAnnouncement ? undefined : exchange;
}

/** Whether an error says "you may not" or "nobody there", so that the flow it answers was refused. */
export function isRefusal(family: number, type: number, code: number): boolean {
  if (family === 4) return type === 3 && code !== 4; // 4 wants smaller packets
  return type === 1;
}
