import { ETHERNET, IP, LLC, PPP, TRUNCATED } from "./layer.js";
import { firstLayerOf } from "./link-types.js";
import type { Packet } from "./packet.js";

/* Headers that capturing systems put before the packet. */

function u32le(packet: Packet, at: number): number {
  const b = packet.bytes;
  return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
}

function innerLink(packet: Packet, length: number, linkType: number): number {
  if (packet.end - packet.at < length) return packet.fail(TRUNCATED);
  packet.at += length;
  packet.hint = 0;
  return firstLayerOf(linkType) ?? packet.notIp();
}

/** PPI: | version 1 | flags 1 | length 2 | link type 4 | fields |, little-endian. */
export function ppi(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8) return packet.fail(TRUNCATED);
  return innerLink(packet, Math.max(8, bytes[at + 2]! | (bytes[at + 3]! << 8)), u32le(packet, at + 4));
}

/** Apple's pktap: | length 4 | next 4 | link type 4 | ... |, little-endian. */
export function pktap(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 12) return packet.fail(TRUNCATED);
  const length = u32le(packet, at);
  // Link types are the system's own here; raw IP is 12, the rest agree with the files'.
  return length < 12 ? packet.notIp() : innerLink(packet, length, u32le(packet, at + 8));
}

/** Linux netfilter log: | family 1 | version 1 | resource 2 | then attributes: length 2, type 2, value, padding to 4 | */
export function nflog(packet: Packet): number {
  const { at, bytes, end } = packet;
  if (end - at < 4) return packet.fail(TRUNCATED);
  for (let next = at + 4; end - next >= 4; ) {
    // Attributes are in the byte order of the host; a length is at least 4 and small, so one order makes sense.
    const little = bytes[next]! | (bytes[next + 1]! << 8);
    const isLittle = (bytes[next + 3]! & 0x7f) === 0 && bytes[next + 2] !== 0;
    const length = isLittle || little <= end - next ? little : packet.u16(next);
    const type = isLittle ? bytes[next + 2]! : packet.u16(next + 2) & 0x7fff;
    if (length < 4) return packet.notIp();
    if (type === 9) {
      packet.at = next + 4;
      if (next + length < end) packet.end = next + length;
      return IP;
    }
    next += (length + 3) & ~3;
  }
  return packet.notIp();
}

/** OpenBSD's packet filter log: | length 1 | family 1 | ... padded to 4 | IP | */
export function pflog(packet: Packet): number {
  if (packet.end - packet.at < 4) return packet.fail(TRUNCATED);
  const length = (packet.bytes[packet.at]! + 3) & ~3;
  if (packet.end - packet.at < length) return packet.fail(TRUNCATED);
  packet.at += length;
  return IP;
}

/** OpenBSD's IPsec interface: | family 4 | SPI 4 | flags 4 | IP | */
export function enc(packet: Packet): number {
  if (packet.end - packet.at < 12) return packet.fail(TRUNCATED);
  packet.at += 12;
  return IP;
}

/** Solaris ipnet: | version 1 | family 1 | 22 bytes of zones and lengths | IP | */
export function ipnet(packet: Packet): number {
  if (packet.end - packet.at < 24) return packet.fail(TRUNCATED);
  packet.at += 24;
  return IP;
}

/** Endace ERF: | time 8 | type 1 | flags 1 | length 2 | lost 2 | wire length 2 | [8 while a first bit] | [2] | frame | */
export function erf(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 16) return packet.fail(TRUNCATED);
  const type = bytes[at + 8]!;
  let length = 16;
  for (let more = type & 0x80; more !== 0; length += 8) {
    if (packet.end - at < length + 8) return packet.fail(TRUNCATED);
    more = bytes[at + length]! & 0x80;
  }
  switch (type & 0x7f) {
    case 2: // Ethernet, behind 2 bytes of padding; 11, 16 and 20 are its relatives
    case 11:
    case 16:
    case 20:
      return innerLink(packet, length + 2, 1);
    case 22: // IPv4 and
    case 23: // IPv6
      return innerLink(packet, length, 101);
    default:
      return packet.notIp();
  }
}

/**
 * Juniper: | "MGC" 3 | flags 1: 80 extensions, 02 no link layer, 01 inbound | [length 2, extensions] | ...
 * @param cookie bytes between that header and the frame
 */
function juniper(packet: Packet, next: number): number {
  const { at, bytes } = packet;
  if (packet.end - at < 4) return packet.fail(TRUNCATED);
  if (bytes[at] !== 0x4d || bytes[at + 1] !== 0x47 || bytes[at + 2] !== 0x43) return packet.notIp();
  const flags = bytes[at + 3]!;
  let length = 4;
  if ((flags & 0x80) !== 0) {
    if (packet.end - at < 6) return packet.fail(TRUNCATED);
    length = 6 + packet.u16(at + 4);
  }
  const isBare = (flags & 2) !== 0;
  if (isBare) length += 4; // the protocol, as a family number
  if (packet.end - at < length) return packet.fail(TRUNCATED);
  packet.at = at + length;
  return isBare ? IP : next;
}

export function juniperEthernet(packet: Packet): number {
  return juniper(packet, ETHERNET);
}

export function juniperPpp(packet: Packet): number {
  return juniper(packet, PPP);
}

/** ATM cards have a cookie of 4 bytes, whose first bit tells LLC from bare IP. */
export function juniperAtm1(packet: Packet): number {
  const next = juniper(packet, LLC);
  if (next !== LLC) return next;
  if (packet.end - packet.at < 5) return packet.fail(TRUNCATED);
  const isControl = packet.bytes[packet.at] === 0x80;
  packet.at += 4;
  return isControl || packet.bytes[packet.at] === 0xaa ? LLC : IP;
}
