import { hopCode } from "../scope-table.js";
import { ETHER_TYPE, ETHERNET, IPV4, IPV6, MALFORMED, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const PBB_HOP = hopCode("pbb");
const VNTAG_HOP = hopCode("vntag");
const TRILL_HOP = hopCode("trill");
const FABRICPATH_HOP = hopCode("fabricpath");
const VLAN_HOP = hopCode("vlan");

/** Steps over `length` bytes that only switches care about. */
function skip(packet: Packet, length: number, next: number): number {
  if (packet.end - packet.at < length) return packet.fail(TRUNCATED);
  packet.at += length;
  return next;
}

/** Provider backbone bridging, 802.1ah: | priority and flags 1 | service 3 | the customer's Ethernet frame | */
export function pbb(packet: Packet): number {
  if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
  packet.enterLink(PBB_HOP, packet.i32(packet.at) & 0xffffff);
  return skip(packet, 4, ETHERNET);
}

/** Cisco VN-Tag: | direction 1 bit, pointer 1, destination 14 | looped 1, 3, source 12 | EtherType | */
export function vnTag(packet: Packet): number {
  packet.enterLink(VNTAG_HOP, -1);
  return skip(packet, 4, ETHER_TYPE);
}

/** 802.1BR E-Tag: | priority, source 2 | group, destination 2 | extensions 2 | EtherType | */
export function eTag(packet: Packet): number {
  return skip(packet, 6, ETHER_TYPE);
}

/** HSR (IEC 62439-3): | path, size 2 | sequence 2 | EtherType | */
export function hsr(packet: Packet): number {
  return skip(packet, 4, ETHER_TYPE);
}

/** Cisco metadata: | version 1 | length 1 | option 2 | group tag 2 | EtherType | */
export function ciscoMetadata(packet: Packet): number {
  return skip(packet, 6, ETHER_TYPE);
}

/**
 * MACsec, IEEE 802.1AE: | version 1 bit, ES 1, SC 1, SCB 1, E 1, C 1, 2 | 2 bits, length 6 | number 4 | [channel 8 if SC] |
 * EtherType ... | check value 16 |. With E or C the rest is encrypted or changed.
 */
export function macsec(packet: Packet): number {
  if (packet.end - packet.at < 6) return packet.fail(TRUNCATED);
  const control = packet.bytes[packet.at]!;
  if ((control & 0x0c) !== 0) return packet.notIp();
  return skip(packet, (control & 0x20) === 0 ? 6 : 14, ETHER_TYPE);
}

/** Cisco FabricPath: | tree 10 bits, time to live 6 | the Ethernet frame | */
export function fabricPath(packet: Packet): number {
  packet.enterLink(FABRICPATH_HOP, -1);
  return skip(packet, 2, ETHERNET);
}

/** TRILL, RFC 6325: | version 2 bits, 2, multicast 1, option words 5, hops 6 | egress 2 | ingress 2 | options | Ethernet | */
export function trill(packet: Packet): number {
  if (packet.end - packet.at < 6) return packet.fail(TRUNCATED);
  const words = (packet.u16(packet.at) >>> 6) & 31;
  packet.enterLink(TRILL_HOP, -1);
  return skip(packet, 6 + words * 4, ETHERNET);
}

/** Cisco ISL: | group 5 | type 1 | source 6 | length 2 | SNAP 3 | vendor 3 | VLAN 15 bits, 1 | index 2 | 2 | Ethernet | */
export function isl(packet: Packet): number {
  if (packet.end - packet.at < 26) return packet.fail(TRUNCATED);
  packet.enterLink(VLAN_HOP, (packet.u16(packet.at + 20) >>> 1) & 0xfff);
  return skip(packet, 26, ETHERNET);
}

/** Network service header, RFC 8300: | version 2 bits, flags, ttl, words 6 bits | 4 bits, type 4 | next 1 | ... | */
export function nsh(packet: Packet): number {
  if (packet.end - packet.at < 8) return packet.fail(TRUNCATED);
  const length = (packet.bytes[packet.at + 1]! & 63) * 4;
  if (length < 8) return packet.fail(MALFORMED);
  const next = packet.bytes[packet.at + 3]!;
  const layer = next === 1 ? IPV4 : next === 2 ? IPV6 : next === 3 ? ETHERNET : -1;
  return layer < 0 ? packet.notIp() : skip(packet, length, layer);
}
