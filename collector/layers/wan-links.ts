import { ETHER_TYPE, IP, LLC, PPP, TRUNCATED } from "./layer.js";
import { snap } from "./llc.js";
import type { Packet } from "./packet.js";

/** Cisco HDLC: | address 1 | control 1 | EtherType 2 | */
export function ciscoHdlc(packet: Packet): number {
  if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
  packet.at += 2;
  return ETHER_TYPE;
}

/**
 * Frame relay: an address of 2 to 4 bytes, whose last byte is odd, then either RFC 2427
 * | control 03 | [padding 00] | network protocol 1 | ... or an EtherType, as Cisco does.
 */
export function frameRelay(packet: Packet): number {
  const { bytes } = packet;
  let { at } = packet;
  for (let count = 0; ; count++) {
    if (at >= packet.end) return packet.fail(TRUNCATED);
    if (count === 4) return packet.notIp();
    if ((bytes[at++]! & 1) === 1) break;
  }
  if (packet.end - at < 3) return packet.fail(TRUNCATED);
  packet.at = at;
  if (bytes[at] !== 0x03) return bytes[at]! >= 0x08 ? ETHER_TYPE : packet.notIp();
  packet.at = bytes[at + 1] === 0 ? at + 2 : at + 1;
  const protocol = bytes[packet.at]!;
  packet.at += 1;
  switch (protocol) {
    case 0xcc:
    case 0x8e:
      return IP;
    case 0x80:
      return snap(packet);
    case 0xcf:
      return PPP;
    default:
      return packet.notIp();
  }
}

/** Multiprotocol over ATM, RFC 2684: LLC, or with VC multiplexing bare IP. */
export function atm(packet: Packet): number {
  const { at, bytes } = packet;
  if (at >= packet.end) return packet.fail(TRUNCATED);
  return bytes[at] === 0xaa || bytes[at] === 0xfe ? LLC : bytes[at]! >>> 4 === 4 || bytes[at]! >>> 4 === 6 ? IP : LLC;
}

/** SunATM: | 1 bit, 3, traffic 4 | path 1 | channel 2 | payload |; traffic 2 is LLC. */
export function sunAtm(packet: Packet): number {
  if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
  const traffic = packet.bytes[packet.at]! & 15;
  packet.at += 4;
  return traffic === 2 ? LLC : packet.notIp();
}

/** SLIP as captured: 16 bytes of direction and compression, then IP. */
export function slip(packet: Packet): number {
  if (packet.end - packet.at < 16) return packet.fail(TRUNCATED);
  packet.at += 16;
  return IP;
}
