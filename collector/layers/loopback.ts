import { IP, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

/**
 * BSD loopback: an address family of 4 bytes in the byte order of the host that captured, or in network order. IPv4 is 2
 * everywhere; IPv6 is 10, 24, 28 or 30 by system. The file does not tell the order, so both are tried.
 */
export function loopback(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 4) return packet.fail(TRUNCATED);
  const isLittle = bytes[at + 2] === 0 && bytes[at + 3] === 0;
  const family = isLittle ? bytes[at]! | (bytes[at + 1]! << 8) : packet.u16(at + 2);
  packet.at = at + 4;
  switch (family) {
    case 2:
    case 10:
    case 24:
    case 28:
    case 30:
      return IP;
    default:
      return packet.notIp();
  }
}
