import { hopCode } from "../scope-table.js";
import {
  CISCO_METADATA,
  DONE,
  E_TAG,
  ETHER_TYPE,
  ETHERNET,
  FABRIC_PATH,
  HSR,
  IPV4,
  IPV6,
  ISL,
  LLC,
  MACSEC,
  MPLS,
  NSH,
  PBB,
  PPPOE,
  TRILL,
  TRUNCATED,
  VLAN,
  VN_TAG,
} from "./layer.js";
import type { Packet } from "./packet.js";

const VLAN_HOP = hopCode("vlan");

/**
 * The layer that an EtherType announces.
 * @returns `DONE` for one that cannot carry IP
 */
export function layerOfEtherType(type: number): number {
  switch (type) {
    case 0x0800:
      return IPV4;
    case 0x86dd:
      return IPV6;
    case 0x8100: // 802.1Q
    case 0x88a8: // 802.1ad
    case 0x9100: // before 802.1ad, as is 0x9200
    case 0x9200:
      return VLAN;
    case 0x8847:
    case 0x8848:
      return MPLS;
    case 0x8864:
      return PPPOE;
    case 0x88e7:
      return PBB;
    case 0x8926:
      return VN_TAG;
    case 0x8903:
      return FABRIC_PATH;
    case 0x22f3:
      return TRILL;
    case 0x893f:
      return E_TAG;
    case 0x892f:
      return HSR;
    case 0x88e5:
      return MACSEC;
    case 0x8909:
      return CISCO_METADATA;
    case 0x894f:
      return NSH;
    case 0x6558: // transparent Ethernet bridging
      return ETHERNET;
    default:
      return DONE;
  }
}

/** What follows an EtherType (or, below 1536, the length of an LLC frame) whose payload is at `packet.at`. */
export function afterEtherType(packet: Packet, type: number): number {
  if (type < 0x600) {
    // A length: what lies beyond it is padding.
    if (packet.at + type < packet.end) packet.end = packet.at + type;
    return LLC;
  }
  const next = layerOfEtherType(type);
  return next === DONE ? packet.notIp() : next;
}

/** Ethernet II or 802.3: | destination 6 | source 6 | type or length 2 | */
export function ethernet(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 14) return packet.fail(TRUNCATED);
  const type = packet.u16(at + 12);
  packet.at = at + 14;
  if (type === 0x0800) return IPV4;
  if (type < 0x600 && isIsl(packet, at)) {
    packet.at = at;
    return ISL;
  }
  return afterEtherType(packet, type);
}

/** Cisco ISL sends to a group address of its own, 01000C0000 or 0C000C0000. */
function isIsl(packet: Packet, at: number): boolean {
  const b = packet.bytes;
  return (
    (b[at] === 0x01 || b[at] === 0x0c) && b[at + 1] === 0 && b[at + 2] === 0x0c && b[at + 3] === 0 && b[at + 4] === 0
  );
}

/** A bare EtherType before its payload. */
export function etherType(packet: Packet): number {
  if (packet.end - packet.at < 2) return packet.fail(TRUNCATED);
  const type = packet.u16(packet.at);
  packet.at += 2;
  return afterEtherType(packet, type);
}

/** A VLAN tag after its EtherType: | priority 3 bits, drop 1, VLAN 12 | type 2 |. VLAN 0 is a priority alone. */
export function vlan(packet: Packet): number {
  if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
  const id = packet.u16(packet.at) & 0xfff;
  if (id !== 0) packet.enterLink(VLAN_HOP, id);
  packet.at += 2;
  return ETHER_TYPE;
}
