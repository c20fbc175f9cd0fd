import { hopCode } from "../scope-table.js";
import { layerOfProtocol } from "./ip-payload.js";
import { ETHERNET, IPV4, IPV6, MALFORMED, MPLS, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const IPIP_HOP = hopCode("ipip");
const SIX_IN_FOUR_HOP = hopCode("6in4");
const FOUR_IN_SIX_HOP = hopCode("4in6");
const SIX_IN_SIX_HOP = hopCode("6in6");
const ETHERIP_HOP = hopCode("etherip");
const AH_HOP = hopCode("ah");
const MPLS_HOP = hopCode("mpls");

/** An IP packet in another, either family in either: RFC 2003, 4213, 2473. */
export function ipInIp(packet: Packet): number {
  if (packet.at >= packet.end) return packet.fail(TRUNCATED);
  const inner = packet.bytes[packet.at]! >>> 4;
  if (inner !== (packet.protocol === 4 ? 4 : 6)) return packet.fail(MALFORMED);
  const isOuter4 = packet.family === 4;
  const kind = inner === 4 ? (isOuter4 ? IPIP_HOP : FOUR_IN_SIX_HOP) : isOuter4 ? SIX_IN_FOUR_HOP : SIX_IN_SIX_HOP;
  packet.enterTunnel(kind, -1);
  return inner === 4 ? IPV4 : IPV6;
}

/**
 * Authentication header, RFC 4302, behind an IPv4 header: | next 1 | words - 2 1 | 2 | SPI 4 | sequence 4 | sum ... |
 * To IPv4 it is a protocol, which packet filters match as such; what it protects is a flow inside. To IPv6 it is an
 * extension header, which they look through.
 */
export function authenticationHeader(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 12) return packet.fail(TRUNCATED);
  const length = (bytes[at + 1]! + 2) * 4;
  if (length < 12) return packet.fail(MALFORMED);
  if (packet.end - at < length) return packet.fail(TRUNCATED);
  packet.enterTunnel(AH_HOP, -1);
  packet.protocol = bytes[at]!;
  packet.at = at + length;
  return layerOfProtocol(packet);
}

/** EtherIP, RFC 3378: | version 4 bits = 3, 12 bits = 0 | Ethernet |. Some systems swapped the nibbles. */
export function etherIp(packet: Packet): number {
  if (packet.end - packet.at < 2) return packet.fail(TRUNCATED);
  const version = packet.bytes[packet.at]!;
  if (version !== 0x30 && version !== 0x03) return packet.fail(MALFORMED);
  packet.enterTunnel(ETHERIP_HOP, -1);
  packet.at += 2;
  return ETHERNET;
}

/** MPLS in IP, RFC 4023, and in UDP, RFC 7510. */
export function mplsInIp(packet: Packet): number {
  packet.enterTunnel(MPLS_HOP, -1);
  return MPLS;
}
