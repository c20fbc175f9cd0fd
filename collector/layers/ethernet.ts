import { hopCode } from "../scope-table.js";
import {
  DONE,
  ETHER_TYPE,
  ETHERNET,
  FABRICPATH,
  IPV4,
  IPV6,
  LLC,
  MPLS,
  PBB,
  PPPOE,
  TRILL,
  TRUNCATED,
  VLAN,
  VNTAG,
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
      return VNTAG;
    case 0x8903:
      return FABRICPATH;
    case 0x22f3:
      return TRILL;
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
  return afterEtherType(packet, type);
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
