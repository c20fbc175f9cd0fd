import { afterEtherType } from "./ethernet.js";
import { TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const ARPHRD_IPGRE = 778;
const ARPHRD_NETLINK = 824;
const ARPHRD_RADIOTAP = 803;
const ARPHRD_FRAD = 770;

/** What the protocol field of a cooked header means depends on the hardware behind it. */
function afterCooked(packet: Packet, hardware: number, protocol: number): number {
  if (hardware === ARPHRD_NETLINK || hardware === ARPHRD_RADIOTAP || hardware === ARPHRD_FRAD) return packet.notIp();
  if (hardware === ARPHRD_IPGRE) return afterEtherType(packet, protocol);
  // 1 is 802.3 with a length that was lost, 4 is LLC.
  if (protocol === 4) return afterEtherType(packet, 0x5ff);
  return protocol < 0x600 ? packet.notIp() : afterEtherType(packet, protocol);
}

/** LINKTYPE_LINUX_SLL: | packet type 2 | hardware 2 | address length 2 | address 8 | protocol 2 | */
export function cooked(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 16) return packet.fail(TRUNCATED);
  packet.at = at + 16;
  return afterCooked(packet, packet.u16(at + 2), packet.u16(at + 14));
}

/** LINKTYPE_LINUX_SLL2: | protocol 2 | 2 | interface 4 | hardware 2 | packet type 1 | address length 1 | address 8 | */
export function cooked2(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 20) return packet.fail(TRUNCATED);
  packet.at = at + 20;
  return afterCooked(packet, packet.u16(at + 8), packet.u16(at));
}
