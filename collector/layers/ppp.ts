import { hopCode } from "../scope-table.js";
import { ETHER_TYPE, IPV4, IPV6, MALFORMED, MPLS, PPP, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const PPPOE_HOP = hopCode("pppoe");

/** PPP over Ethernet, RFC 2516: | version 4 bits, type 4 | code 1 | session 2 | length 2 | PPP | */
export function pppoe(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 6) return packet.fail(TRUNCATED);
  if (packet.bytes[at] !== 0x11) return packet.fail(MALFORMED);
  if (packet.bytes[at + 1] !== 0) return packet.notIp(); // discovery, not a session
  const length = packet.u16(at + 4);
  packet.at = at + 6;
  if (packet.at + length < packet.end) packet.end = packet.at + length;
  packet.enterLink(PPPOE_HOP, packet.u16(at + 2));
  return PPP;
}

/**
 * RFC 1661 and 1662: | FF 03, may be left out | protocol 2, or 1 when its first byte is odd | ... Some captures have
 * Cisco's framing on PPP links; its first byte is 0F or 8F.
 */
export function ppp(packet: Packet): number {
  const { bytes } = packet;
  let { at } = packet;
  if (packet.end - at < 2) return packet.fail(TRUNCATED);
  if ((bytes[at] === 0x0f || bytes[at] === 0x8f) && bytes[at + 1] === 0) {
    packet.at = at + 2;
    return ETHER_TYPE;
  }
  if (bytes[at] === 0xff && bytes[at + 1] === 0x03) at += 2;
  if (packet.end - at < 2) return packet.fail(TRUNCATED);
  let protocol = bytes[at]!;
  at += 1;
  if ((protocol & 1) === 0) {
    protocol = (protocol << 8) | bytes[at]!;
    at += 1;
  }
  packet.at = at;
  switch (protocol) {
    case 0x0021:
      return IPV4;
    case 0x0057:
      return IPV6;
    case 0x0281:
    case 0x0283:
      return MPLS;
    default:
      return packet.notIp();
  }
}

/** PPP whose first byte (two, as pppd writes them) tells the direction instead of an address. */
export function pppWithDirection(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 2) return packet.fail(TRUNCATED);
  packet.at = bytes[at + 1] === 0x03 ? at + 2 : at + 1;
  return PPP;
}
