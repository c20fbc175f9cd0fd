import { ethernet, etherType, vlan } from "./ethernet.js";
import { gre } from "./gre.js";
import { icmp } from "./icmp.js";
import { authenticationHeader, etherIp, ipInIp, mplsInIp } from "./ip-tunnels.js";
import { ip, ipv4 } from "./ipv4.js";
import { ipv6 } from "./ipv6.js";
import {
  AH,
  DCCP,
  DONE,
  ETHER_TYPE,
  ETHERIP,
  ETHERNET,
  GRE,
  ICMP,
  IP,
  IP_IN_IP,
  IPV4,
  IPV6,
  LATER_FRAGMENT,
  MAX_LAYERS,
  MPLS_IN_IP,
  PORTLESS,
  SCTP,
  TCP,
  TOO_DEEP,
  UDP,
  UDPLITE,
  VLAN,
} from "./layer.js";
import { NO_ICMP, type Packet } from "./packet.js";
import { rareLayer } from "./rare-layers.js";
import { tcp } from "./tcp.js";
import { dccp, sctp, udplite } from "./transports.js";
import { udp } from "./udp.js";

/** Takes what a packet turned out to be: once per IP header in it, outermost first. */
export interface FlowSink {
  /** One packet of a flow: addresses, protocol and ports are known. */
  observe(packet: Packet): void;
  /** A fragment without ports. */
  observeFragment(packet: Packet): void;
  /** The packet, or what was left of it, could not be used: a DROP_REASONS position. */
  drop(reason: number): void;
}

/** Hands a packet without ports to `sink`. */
function observePortless(packet: Packet, sink: FlowSink): void {
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.payloadAt = packet.at;
  packet.payloadEnd = packet.end;
  sink.observe(packet);
}

/** Takes `packet` apart from layer `first` on. Never throws, whatever the bytes are. */
export function dissect(packet: Packet, first: number, sink: FlowSink): void {
  let layer = first;
  for (let count = 0; layer !== DONE; count++) {
    if (count === MAX_LAYERS) {
      packet.fail(TOO_DEEP);
      break;
    }
    switch (layer) {
      case ETHERNET:
        layer = ethernet(packet);
        break;
      case IPV4:
        layer = ipv4(packet);
        break;
      case TCP:
        layer = tcp(packet);
        if (packet.fault < 0) sink.observe(packet);
        break;
      case UDP:
        layer = udp(packet);
        if (packet.fault < 0) sink.observe(packet);
        break;
      case IPV6:
        layer = ipv6(packet);
        break;
      case VLAN:
        layer = vlan(packet);
        break;
      case ETHER_TYPE:
        layer = etherType(packet);
        break;
      case IP:
        layer = ip(packet);
        break;
      case ICMP:
        layer = icmp(packet);
        if (packet.fault < 0) sink.observe(packet);
        packet.icmp = NO_ICMP;
        break;
      case SCTP:
        layer = sctp(packet);
        if (packet.fault < 0) sink.observe(packet);
        break;
      case DCCP:
        layer = dccp(packet);
        if (packet.fault < 0) sink.observe(packet);
        break;
      case UDPLITE:
        layer = udplite(packet);
        if (packet.fault < 0) sink.observe(packet);
        break;
      case PORTLESS:
        observePortless(packet, sink);
        layer = DONE;
        break;
      case LATER_FRAGMENT:
        sink.observeFragment(packet);
        layer = DONE;
        break;
      case AH:
        observePortless(packet, sink);
        layer = authenticationHeader(packet);
        break;
      case GRE:
        observePortless(packet, sink);
        layer = gre(packet);
        break;
      case IP_IN_IP:
        observePortless(packet, sink);
        layer = ipInIp(packet);
        break;
      case ETHERIP:
        observePortless(packet, sink);
        layer = etherIp(packet);
        break;
      case MPLS_IN_IP:
        observePortless(packet, sink);
        layer = mplsInIp(packet);
        break;
      default:
        layer = rareLayer(layer, packet);
    }
  }
  if (packet.fault >= 0) sink.drop(packet.fault);
}
