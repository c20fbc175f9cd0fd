import { layerOfProtocol } from "./ip-payload.js";
import { IPV4, IPV6, MALFORMED, TRUNCATED } from "./layer.js";
import { FIRST_FRAGMENT, LATER, type Packet, WHOLE } from "./packet.js";

/** Where only "IP" is known, the version is the first nibble. */
export function ip(packet: Packet): number {
  if (packet.at >= packet.end) return packet.fail(TRUNCATED);
  const version = packet.bytes[packet.at]! >>> 4;
  if (version === 4) return IPV4;
  return version === 6 ? IPV6 : packet.fail(MALFORMED);
}

/**
 * RFC 791.
 *
 *     | version 4 bits, words 4 bits | 1 | total length 2 | id 2 | flags 3 bits, offset 13 bits | ttl 1 | protocol 1 | sum 2 |
 *     | source 4 | destination 4 | options ... |
 *
 * A total length of 0 is left to the network card by hosts that offload segmentation: then the wire's length counts.
 */
export function ipv4(packet: Packet): number {
  const { bytes, at } = packet;
  if (packet.end - at < 20) return packet.fail(TRUNCATED);
  const first = bytes[at]!;
  if (first >>> 4 !== 4) return packet.fail(MALFORMED);
  const headerLength = (first & 15) * 4;
  let total = packet.u16(at + 2);
  if (total === 0) total = packet.wireEnd - at;
  if (headerLength < 20 || total < headerLength || packet.isBeyondEnclosing(total)) return packet.fail(MALFORMED);
  packet.family = 4;
  packet.source = packet.i32(at + 12);
  packet.destination = packet.i32(at + 16);
  packet.protocol = bytes[at + 9]!;
  packet.ipBytes = total;
  const fragment = packet.u16(at + 6);
  if ((fragment & 0x3fff) === 0) packet.fragment = WHOLE;
  else {
    packet.fragment = (fragment & 0x1fff) === 0 ? FIRST_FRAGMENT : LATER;
    packet.fragmentId = packet.u16(at + 4);
  }
  packet.wireEnd = at + total;
  if (packet.wireEnd < packet.end) packet.end = packet.wireEnd;
  if (packet.end - at < headerLength) return packet.fail(TRUNCATED);
  packet.at = at + headerLength;
  packet.ipLayers++;
  return layerOfProtocol(packet);
}
