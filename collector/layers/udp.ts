import { AYIYA, CAPWAP, DONE, GENEVE, GTPU, L2TP, MALFORMED, MPLS_IN_UDP, TEREDO, TRUNCATED, VXLAN } from "./layer.js";
import type { Packet } from "./packet.js";

/** RFC 768: | source port 2 | destination port 2 | length 2 | sum 2 |. A length of 0 is a jumbo datagram. */
export function udp(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 8) return cutUdp(packet);
  const length = packet.u16(at + 4);
  if (length !== 0 && length < 8) return packet.fail(MALFORMED);
  const sourcePort = packet.u16(at);
  const destinationPort = packet.u16(at + 2);
  packet.sourcePort = sourcePort;
  packet.destinationPort = destinationPort;
  packet.payloadAt = at + 8;
  packet.payloadEnd = length === 0 || at + length > packet.end ? packet.end : at + length;
  packet.at = at + 8;
  return tunnelOf(sourcePort, destinationPort);
}

/** Where the capture cut the header off behind the ports, they name the flow. */
function cutUdp(packet: Packet): number {
  const { at, end } = packet;
  if (packet.wireEnd <= end || end - at < 4) return packet.fail(TRUNCATED);
  packet.sourcePort = packet.u16(at);
  packet.destinationPort = packet.u16(at + 2);
  packet.payloadAt = end;
  packet.payloadEnd = end;
  return DONE;
}

/** The tunnel that a pair of ports announces; whether it really is one, its own layer finds out. */
function tunnelOf(source: number, destination: number): number {
  switch (destination) {
    case 4789:
    case 4790: // VXLAN-GPE
    case 8472: // Linux's choice before there was a standard
      return VXLAN;
    case 6081:
      return GENEVE;
    case 2152:
      return GTPU;
    case 3544:
      return TEREDO;
    case 5072:
      return AYIYA;
    case 1701:
      return L2TP;
    case 6635:
      return MPLS_IN_UDP;
    case 5247:
      return CAPWAP;
    default:
  }
  switch (source) {
    case 2152:
      return GTPU;
    case 3544:
      return TEREDO;
    case 5072:
      return AYIYA;
    case 1701:
      return L2TP;
    case 5247:
      return CAPWAP;
    default:
      return DONE;
  }
}
