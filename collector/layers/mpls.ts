import { hopCode } from "../scope-table.js";
import { layerOfEtherType } from "./ethernet.js";
import { DONE, ETHERNET, IPV4, IPV6, TOO_DEEP, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const MPLS_HOP = hopCode("mpls");
const MAX_LABELS = 16;

/**
 * RFC 3032: | label 20 bits, class 3, bottom 1, ttl 8 | ... Nothing says what lies below the stack; the first nibble
 * tells IP from a pseudowire (RFC 4385: 0 is its control word), and a bare Ethernet frame is known by its EtherType.
 */
export function mpls(packet: Packet): number {
  for (let count = 0; ; count++) {
    if (count === MAX_LABELS) return packet.fail(TOO_DEEP);
    if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
    const word = packet.i32(packet.at);
    packet.enterLink(MPLS_HOP, word >>> 12);
    packet.at += 4;
    if ((word & 0x100) !== 0) break;
  }
  const { at, bytes, end } = packet;
  if (at >= end) return packet.fail(TRUNCATED);
  const nibble = bytes[at]! >>> 4;
  const isIpv4 = nibble === 4 && (bytes[at]! & 15) >= 5 && end - at >= 20 && packet.u16(at + 2) <= packet.wireEnd - at;
  if (isIpv4) return IPV4;
  if (nibble === 6 && end - at >= 40 && packet.u16(at + 4) + 40 <= packet.wireEnd - at) return IPV6;
  if (nibble === 0 && isEthernet(packet, at + 4)) {
    packet.at = at + 4;
    return ETHERNET;
  }
  if (isEthernet(packet, at)) return ETHERNET;
  return nibble === 4 ? IPV4 : nibble === 6 ? IPV6 : packet.notIp();
}

function isEthernet(packet: Packet, at: number): boolean {
  if (packet.end - at < 14) return false;
  const type = packet.u16(at + 12);
  // ARP and 802.3 lengths are Ethernet too, but lead to no IP.
  return layerOfEtherType(type) !== DONE || type <= packet.wireEnd - at - 14;
}
