import { DONE, MALFORMED, TRUNCATED } from "./layer.js";
import { FIRST_FRAGMENT, type Packet } from "./packet.js";

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

/**
 * RFC 9293.
 *
 *     | source port 2 | destination port 2 | sequence 4 | acknowledgement 4 | words 4 bits, 4 | flags 1 | window 2 | 4 | options |
 *
 * A capture or a first fragment may hold no more than the ports: they name the flow, and the flags stay unknown.
 */
export function tcp(packet: Packet): number {
  const { bytes, at, end } = packet;
  packet.tcpFlags = 0;
  if (end - at < 14) {
    const isCut = packet.wireEnd > end || packet.fragment === FIRST_FRAGMENT;
    if (!isCut || end - at < 4) return packet.fail(TRUNCATED);
    packet.payloadAt = end;
  } else {
    const headerLength = (bytes[at + 12]! >>> 4) * 4;
    if (headerLength < 20) return packet.fail(MALFORMED);
    packet.sequence = packet.i32(at + 4);
    packet.tcpFlags = bytes[at + 13]!;
    packet.payloadAt = at + headerLength;
  }
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.payloadEnd = end;
  return DONE;
}
