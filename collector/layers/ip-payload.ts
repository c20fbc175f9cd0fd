import {
  AH,
  DCCP,
  ETHERIP,
  GRE,
  ICMP,
  IP_IN_IP,
  LATER_FRAGMENT,
  MPLS_IN_IP,
  PORTLESS,
  SCTP,
  TCP,
  UDP,
  UDPLITE,
} from "./layer.js";
import { LATER, type Packet } from "./packet.js";

/** The layer of the IP packet's protocol, once both its header and its extension headers were read. */
export function layerOfProtocol(packet: Packet): number {
  if (packet.fragment === LATER) return LATER_FRAGMENT;
  switch (packet.protocol) {
    case 6:
      return TCP;
    case 17:
      return UDP;
    case 1:
      return packet.family === 4 ? ICMP : PORTLESS;
    case 58:
      return packet.family === 6 ? ICMP : PORTLESS;
    case 132:
      return SCTP;
    case 33:
      return DCCP;
    case 136:
      return UDPLITE;
    case 4:
    case 41:
      return IP_IN_IP;
    case 47:
      return GRE;
    case 51:
      return AH;
    case 97:
      return ETHERIP;
    case 137:
      return MPLS_IN_IP;
    default:
      return PORTLESS;
  }
}
