import { type DirectionEvidence, EVIDENCE } from "../model/flow-record.js";
import { exchangeOf } from "./layers/icmp.js";
import { NO_ICMP, type Packet } from "./layers/packet.js";
import { ACK, SYN } from "./layers/tcp.js";
import { isServicePort } from "./service-ports.js";

/** What a packet tells of its flow's direction: `evidence << 1 | 1` when the sender is the responder. */
export type Opening = number;

function opening(evidence: DirectionEvidence, sender: "originator" | "responder"): Opening {
  return (EVIDENCE.indexOf(evidence) << 1) | (sender === "responder" ? 1 : 0);
}

const SYN_SENT = opening("syn", "originator");
const SYN_ANSWERED = opening("syn-ack", "responder");
const INIT_SENT = opening("init", "originator");
const INIT_ANSWERED = opening("init", "responder");
const REQUEST = opening("request", "originator");
const REPLY = opening("request", "responder");
const TO_SERVICE = opening("service-port", "originator");
const FROM_SERVICE = opening("service-port", "responder");
const FIRST = opening("first-packet", "originator");

const TCP = 6;
const UDP = 17;
const DCCP = 33;
const SCTP = 132;

/** What the first packet seen of a flow tells of who opened it. */
export function openingOf(packet: Packet): Opening {
  if (packet.icmp !== NO_ICMP) {
    return exchangeOf(packet)?.role === "reply" ? REPLY : REQUEST; // a message that wants no answer is its sender's own
  }
  switch (packet.protocol) {
    case TCP: {
      const flags = packet.tcpFlags & (SYN | ACK);
      if (flags === SYN) return SYN_SENT;
      if (flags === (SYN | ACK)) return SYN_ANSWERED;
      return byPorts(packet);
    }
    case SCTP: {
      const chunk = packet.payloadAt < packet.payloadEnd ? packet.bytes[packet.payloadAt] : -1;
      if (chunk === 1) return INIT_SENT;
      if (chunk === 2) return INIT_ANSWERED;
      return byPorts(packet);
    }
    case DCCP: {
      const type = (packet.bytes[packet.payloadAt + 8]! >>> 1) & 15;
      if (type === 0) return INIT_SENT;
      if (type === 1) return INIT_ANSWERED;
      return byPorts(packet);
    }
    case UDP: {
      const said = byRequest(packet);
      return said === -1 ? byPorts(packet) : said;
    }
    default:
      return FIRST;
  }
}

/** Protocols whose payload says whether it asks or answers. -1 where it does not say. */
function byRequest(packet: Packet): Opening | -1 {
  const { bytes, payloadAt: at, payloadEnd, sourcePort, destinationPort } = packet;
  const length = payloadEnd - at;
  const isAt = (port: number) => sourcePort === port || destinationPort === port;
  if (packet.addresses.isGroup(packet.family, packet.destination)) return -1;
  // DNS, LLMNR and NetBIOS names share the header; mDNS answers come unasked.
  if (length >= 12 && (isAt(53) || isAt(5355) || isAt(137))) return bytes[at + 2]! < 0x80 ? REQUEST : REPLY;
  // BOOTP and DHCP: operation 1 is from the client.
  if (length >= 1 && isAt(67) && (isAt(68) || isAt(67))) {
    if (bytes[at] === 1) return REQUEST;
    if (bytes[at] === 2) return REPLY;
  }
  // NTP: mode 3 asks, 4 answers; peers (1, 2) do neither.
  if (length >= 48 && isAt(123)) {
    const mode = bytes[at]! & 7;
    if (mode === 3) return REQUEST;
    if (mode === 4) return REPLY;
  }
  return -1;
}

/** A guess: of two ports the one that is a known service belongs to the responder. */
function byPorts(packet: Packet): Opening {
  if (packet.addresses.isGroup(packet.family, packet.destination)) {
    return isServicePort(packet.destinationPort) ? TO_SERVICE : FIRST;
  }
  const isFrom = isServicePort(packet.sourcePort);
  const isTo = isServicePort(packet.destinationPort);
  if (isFrom === isTo) return FIRST;
  return isTo ? TO_SERVICE : FROM_SERVICE;
}
