import { DONE, MALFORMED, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

/**
 * RFC 9293.
 *
 *     | source port 2 | destination port 2 | sequence 4 | acknowledgement 4 | words 4 bits, 4 | flags 1 | window 2 | 4 | options |
 *
 * A capture may have cut the options and the payload away; the flags are what must be there.
 */
export function tcp(packet: Packet): number {
  const { bytes, at } = packet;
  if (packet.end - at < 14) return packet.fail(TRUNCATED);
  const headerLength = (bytes[at + 12]! >>> 4) * 4;
  if (headerLength < 20) return packet.fail(MALFORMED);
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.sequence = packet.i32(at + 4);
  packet.tcpFlags = bytes[at + 13]!;
  packet.payloadAt = at + headerLength;
  packet.payloadEnd = packet.end;
  return DONE;
}
