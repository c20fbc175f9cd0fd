import { layerOfEtherType } from "./ethernet.js";
import { DONE, ETHERNET, IP, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const SNAP = 0xaa;
const IP_SAP = 0x06;
const UNNUMBERED = 0x03;
const BRIDGED_OUI = 0x0080c2;

/**
 * IEEE 802.2, and SNAP in it.
 *
 *     | destination SAP 1 | source SAP 1 | control 1 |  and if both SAPs are AA:  | organisation 3 | type 2 |
 */
export function llc(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 3) return packet.fail(TRUNCATED);
  if (bytes[at + 2] !== UNNUMBERED) return packet.notIp();
  if (bytes[at] === IP_SAP && bytes[at + 1] === IP_SAP) {
    packet.at = at + 3;
    return IP;
  }
  if (bytes[at] !== SNAP || bytes[at + 1] !== SNAP) return packet.notIp();
  packet.at = at + 3;
  return snap(packet);
}

/** | organisation 3 | type 2 | */
export function snap(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 5) return packet.fail(TRUNCATED);
  const organisation = (bytes[at]! << 16) | packet.u16(at + 1);
  const type = packet.u16(at + 3);
  packet.at = at + 5;
  if (organisation === BRIDGED_OUI) {
    // RFC 2684: a bridged Ethernet frame, with (1) or without (7) its check sequence.
    return type === 1 || type === 7 ? ETHERNET : packet.notIp();
  }
  // Other organisations have types of their own; only encapsulated Ethernet has ours.
  if (organisation !== 0 && organisation !== 0x0000f8) return packet.notIp();
  const next = layerOfEtherType(type);
  return next === DONE ? packet.notIp() : next;
}
