import { hopCode } from "../scope-table.js";
import { layerOfEtherType } from "./ethernet.js";
import { DONE, ERSPAN2, ERSPAN3, ETHERNET, IEEE80211, IPV4, MALFORMED, PPP, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const GRE_HOP = hopCode("gre");
const NVGRE_HOP = hopCode("nvgre");
const PPTP_HOP = hopCode("pptp");
const ERSPAN_HOP = hopCode("erspan");

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGEMENT = 0x0080; // version 1 only

const ERSPAN_TYPE = 0x88be;
const ERSPAN3_TYPE = 0x22eb;
const BRIDGING_TYPE = 0x6558;
const PPP_TYPE = 0x880b;
const WCCP_TYPE = 0x883e;

/**
 * RFC 2784 and 2890, and version 1 of RFC 2637 (PPTP).
 *
 *     | flags and version 2 | type 2 | [sum 2, offset 2] | [key 4] | [sequence 4] | [acknowledgement 4] | payload |
 */
export function gre(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 4) return packet.fail(TRUNCATED);
  const flags = packet.u16(at);
  const type = packet.u16(at + 2);
  const version = flags & 7;
  if (version > 1) return packet.fail(MALFORMED);
  let next = at + 4;
  if (version === 0 && (flags & (CHECKSUM | ROUTING)) !== 0) next += 4;
  const keyAt = next;
  if ((flags & KEY) !== 0) next += 4;
  if ((flags & SEQUENCE) !== 0) next += 4;
  if (version === 1 && (flags & ACKNOWLEDGEMENT) !== 0) next += 4;
  if (packet.end < next) return packet.fail(TRUNCATED);
  if (version === 0 && (flags & ROUTING) !== 0) {
    // Source routes of RFC 1701: | family 2 | offset 1 | length 1 | ... until one of length 0
    for (let length = -1; length !== 0; next += 4 + length) {
      if (packet.end < next + 4) return packet.fail(TRUNCATED);
      length = bytes[next + 3]!;
    }
    if (packet.end < next) return packet.fail(TRUNCATED);
  }
  packet.at = next;
  if (version === 1) {
    if (type !== PPP_TYPE || (flags & KEY) === 0) return packet.fail(MALFORMED);
    if ((flags & SEQUENCE) === 0) return DONE; // an acknowledgement alone
    packet.enterTunnel(PPTP_HOP, packet.u16(keyAt + 2));
    return PPP;
  }
  const key = (flags & KEY) === 0 ? -1 : packet.i32(keyAt);
  switch (type) {
    case ERSPAN_TYPE:
      // Without a sequence number it is type I, which has no header of its own.
      if ((flags & SEQUENCE) !== 0) return ERSPAN2;
      packet.enterTunnel(ERSPAN_HOP, -1);
      return ETHERNET;
    case ERSPAN3_TYPE:
      return ERSPAN3;
    case BRIDGING_TYPE:
      // NVGRE, RFC 7637, is a key whose upper 24 bits name the network.
      if (flags === KEY && key >>> 8 !== 0) packet.enterTunnel(NVGRE_HOP, key >>> 8);
      else packet.enterTunnel(GRE_HOP, key);
      return ETHERNET;
    case WCCP_TYPE:
      // The older of its two forms puts 4 bytes before the packet, which cannot start with the nibble 4.
      if (packet.at < packet.end && bytes[packet.at]! >>> 4 !== 4) packet.at += 4;
      packet.enterTunnel(GRE_HOP, key);
      return IPV4;
    case PPP_TYPE:
      packet.enterTunnel(GRE_HOP, key);
      return PPP;
    default: {
      packet.enterTunnel(GRE_HOP, key);
      if (type >= 0x8200 && type <= 0x8210) return IEEE80211; // Aruba's access points
      return type === 0x9000 ? IEEE80211 : layerOfEtherType(type);
    }
  }
}

/** ERSPAN type II: | version 4 bits, VLAN 12 | class 3, 3, session 10 | index 4 | the mirrored Ethernet frame | */
export function erspan2(packet: Packet): number {
  if (packet.end - packet.at < 8) return packet.fail(TRUNCATED);
  packet.enterTunnel(ERSPAN_HOP, packet.u16(packet.at + 2) & 0x3ff);
  packet.at += 8;
  return ETHERNET;
}

/**
 * ERSPAN type III: | version 4 bits, VLAN 12 | class 3, 3, session 10 | time 4 | group 2 | 15 bits, O 1 | [8 if O] |
 * the mirrored frame. Five bits of the last word tell its type: Ethernet is 0, bare IP is 2.
 */
export function erspan3(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 12) return packet.fail(TRUNCATED);
  packet.enterTunnel(ERSPAN_HOP, packet.u16(at + 2) & 0x3ff);
  packet.at = at + ((bytes[at + 11]! & 1) === 0 ? 12 : 20);
  const frameType = (bytes[at + 10]! >>> 2) & 31;
  if (frameType === 0) return ETHERNET;
  return frameType === 2 ? IPV4 : DONE;
}
