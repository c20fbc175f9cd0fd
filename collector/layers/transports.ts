import { DONE, MALFORMED, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

/** SCTP, RFC 9260: | source port 2 | destination port 2 | tag 4 | sum 4 | chunks: type 1, flags 1, length 2 ... | */
export function sctp(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 12) return packet.fail(TRUNCATED);
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.payloadAt = at + 12;
  packet.payloadEnd = packet.end;
  return DONE;
}

/** DCCP, RFC 4340: | source port 2 | destination port 2 | words 1 | 1 | sum 2 | 3 bits, type 4 bits, 1 | ... | */
export function dccp(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 12) return packet.fail(TRUNCATED);
  if (bytes[at + 4]! * 4 < 12) return packet.fail(MALFORMED);
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.payloadAt = at;
  packet.payloadEnd = packet.end;
  return DONE;
}

/** UDP-Lite, RFC 3828: as UDP, with the covered part of the sum where the length was. */
export function udplite(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 8) return packet.fail(TRUNCATED);
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.payloadAt = at + 8;
  packet.payloadEnd = packet.end;
  return DONE;
}
