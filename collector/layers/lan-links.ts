import { ETHER_TYPE, ETHERNET, IP, IPV4, LLC, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

function stepOver(packet: Packet, length: number, next: number): number {
  if (packet.end - packet.at < length) return packet.fail(TRUNCATED);
  packet.at += length;
  return next;
}

/** Token ring: | access 1 | frame 1 | destination 6 | source 6 | [route, if the source's first bit is set] | LLC | */
export function tokenRing(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 14) return packet.fail(TRUNCATED);
  if ((bytes[at + 1]! & 0xc0) !== 0x40) return packet.notIp();
  const route = (bytes[at + 8]! & 0x80) === 0 || packet.end - at < 15 ? 0 : bytes[at + 14]! & 31;
  return stepOver(packet, 14 + route, LLC);
}

/** FDDI: | frame control 1 | destination 6 | source 6 | LLC | */
export function fddi(packet: Packet): number {
  if (packet.end - packet.at < 13) return packet.fail(TRUNCATED);
  return (packet.bytes[packet.at]! & 0xf0) === 0x50 ? stepOver(packet, 13, LLC) : packet.notIp();
}

/** ARCNET as Linux gives it: | source 1 | destination 1 | offset 2 | protocol 1 | [flag 1 | sequence 2] | payload | */
export function arcnetLinux(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 5) return packet.fail(TRUNCATED);
  if (bytes[at + 4] === 240) return stepOver(packet, 5, IPV4); // RFC 1051
  return bytes[at + 4] === 212 || bytes[at + 4] === 196 ? stepOver(packet, 8, IP) : packet.notIp(); // RFC 1201
}

/** IP over Fibre Channel, RFC 2625: | destination 8 | source 8 | LLC | */
export function fibreChannel(packet: Packet): number {
  return stepOver(packet, 16, LLC);
}

/** IP over FireWire as Apple gives it: | destination 8 | source 8 | EtherType | */
export function fireWire(packet: Packet): number {
  return stepOver(packet, 16, ETHER_TYPE);
}

/** IP over InfiniBand: | global route 40 | EtherType 2 | 2 | payload | */
export function infiniBand(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 44) return packet.fail(TRUNCATED);
  const type = packet.u16(at + 40);
  packet.at = at + 44;
  return type === 0x0800 || type === 0x86dd ? IP : packet.notIp();
}

/** Ethernet behind 4 bytes of a netANALYZER, and 8 more of preamble for the transparent kind. */
export function netAnalyzer(packet: Packet): number {
  return stepOver(packet, 4, ETHERNET);
}

export function netAnalyzerTransparent(packet: Packet): number {
  return stepOver(packet, 12, ETHERNET);
}
