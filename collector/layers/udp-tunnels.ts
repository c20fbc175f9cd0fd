import { hopCode } from "../scope-table.js";
import { layerOfEtherType } from "./ethernet.js";
import { SWAPPED } from "./ieee80211.js";
import { DONE, ETHERNET, IEEE80211, IPV4, IPV6, NSH, PPP } from "./layer.js";
import type { Packet } from "./packet.js";

/*
 * A port alone proves nothing: bytes that do not look like the tunnel end the packet here without a fault, as the UDP
 * flow around them is whole.
 */

const VXLAN_HOP = hopCode("vxlan");
const GENEVE_HOP = hopCode("geneve");
const GTPU_HOP = hopCode("gtpu");
const TEREDO_HOP = hopCode("teredo");
const AYIYA_HOP = hopCode("ayiya");
const L2TP_HOP = hopCode("l2tp");
const CAPWAP_HOP = hopCode("capwap");

/** IPv4 or IPv6 by the first nibble, if that many bytes of a header are there; else DONE. */
function innerIp(packet: Packet): number {
  const { at, end } = packet;
  if (end - at < 20) return DONE;
  const nibble = packet.bytes[at]! >>> 4;
  if (nibble === 4) return IPV4;
  return nibble === 6 && end - at >= 40 ? IPV6 : DONE;
}

/** VXLAN, RFC 7348: | flags 1, I is 08 | 3 | network 3 | 1 | Ethernet |; with P (04) the 4th byte tells the payload. */
export function vxlan(packet: Packet): number {
  const { at, bytes } = packet;
  const flags = bytes[at]!;
  if (packet.end - at < 8 || (flags & 0x08) === 0) return DONE;
  let next = ETHERNET;
  if ((flags & 0x04) !== 0) {
    const payload = bytes[at + 3]!;
    next = payload === 1 ? IPV4 : payload === 2 ? IPV6 : payload === 3 ? ETHERNET : payload === 4 ? NSH : DONE;
  }
  if (next === DONE) return DONE;
  packet.enterTunnel(VXLAN_HOP, packet.i32(at + 4) >>> 8);
  packet.at = at + 8;
  return next;
}

/** Geneve, RFC 8926: | version 2 bits = 0, option words 6 | 1 | type 2 | network 3 | 1 | options | payload | */
export function geneve(packet: Packet): number {
  const { at, bytes } = packet;
  const length = 8 + (bytes[at]! & 63) * 4;
  if (packet.end - at < length || bytes[at]! >>> 6 !== 0) return DONE;
  const next = layerOfEtherType(packet.u16(at + 2));
  if (next === DONE) return DONE;
  packet.enterTunnel(GENEVE_HOP, packet.i32(at + 4) >>> 8);
  packet.at = at + length;
  return next;
}

/**
 * GTP-U version 1, 3GPP TS 29.281.
 *
 *     | version 3 bits, PT 1, 1, E 1, S 1, PN 1 | type 1, 255 is a user packet | length 2 | tunnel 4 |
 *     if E, S or PN:  | sequence 2 | PDU number 1 | next 1 |  then while next:  | words 1 | ... | next 1 |
 */
export function gtpu(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8 || bytes[at]! >>> 4 !== 3 || bytes[at + 1] !== 255) return DONE;
  let next = at + 8;
  if ((bytes[at]! & 7) !== 0) {
    if (packet.end < next + 4) return DONE;
    let extension = (bytes[at]! & 4) === 0 ? 0 : bytes[next + 3]!;
    next += 4;
    for (let count = 0; extension !== 0; count++) {
      if (count === 8 || next >= packet.end) return DONE;
      const length = bytes[next]! * 4;
      if (length === 0 || packet.end < next + length) return DONE;
      next += length;
      extension = bytes[next - 1]!;
    }
  }
  packet.at = next;
  const inner = innerIp(packet);
  if (inner !== DONE) packet.enterTunnel(GTPU_HOP, packet.i32(at + 4));
  return inner;
}

/**
 * Teredo, RFC 4380.
 *
 *     [ 0001 2 | id length 1 | value length 1 | id | value | nonce 8 | 1 ]  [ 0000 2 | port 2 | address 4 ]  IPv6
 */
export function teredo(packet: Packet): number {
  const { bytes, end } = packet;
  let { at } = packet;
  if (end - at >= 13 && packet.u16(at) === 1) at += 13 + bytes[at + 2]! + bytes[at + 3]!;
  if (end - at >= 8 && packet.u16(at) === 0) at += 8;
  if (end - at < 40 || bytes[at]! >>> 4 !== 6) return DONE;
  if (packet.u16(at + 4) + 40 > packet.wireEnd - at) return DONE;
  packet.at = at;
  packet.enterTunnel(TEREDO_HOP, -1);
  return IPV6;
}

/** AYIYA: | id size 4 bits, type 4 | signature words 4, hash 4 | auth 4, operation 4 | next 1 | time 4 | id | signature | IP | */
export function ayiya(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8) return DONE;
  const length = 8 + (1 << (bytes[at]! >>> 4)) + (bytes[at + 1]! >>> 4) * 4;
  const isForward = (bytes[at + 2]! & 15) === 1;
  const next = bytes[at + 3]!;
  if (!isForward || (next !== 4 && next !== 41) || packet.end < at + length) return DONE;
  packet.at = at + length;
  const inner = innerIp(packet);
  if (inner !== DONE) packet.enterTunnel(AYIYA_HOP, -1);
  return inner;
}

/**
 * L2TP version 2, RFC 2661.
 *
 *     | T 1 bit, L 1, 2, S 1, 1, O 1, P 1, 4, version 4 | [length 2] | tunnel 2 | session 2 | [sent 2, received 2] |
 *     [offset 2, padding] | PPP |
 */
export function l2tp(packet: Packet): number {
  const { at } = packet;
  if (packet.end - at < 6) return DONE;
  const flags = packet.u16(at);
  if ((flags & 0x8000) !== 0 || (flags & 15) !== 2) return DONE; // control, or another version
  let next = at + 2 + ((flags & 0x4000) === 0 ? 0 : 2);
  if (packet.end < next + 4) return DONE;
  const ids = packet.i32(next);
  next += 4 + ((flags & 0x0800) === 0 ? 0 : 4);
  if ((flags & 0x0200) !== 0) {
    if (packet.end < next + 2) return DONE;
    next += 2 + packet.u16(next);
  }
  if (packet.end < next + 2) return DONE;
  packet.at = next;
  packet.enterTunnel(L2TP_HOP, ids);
  return PPP;
}

/**
 * CAPWAP data, RFC 5415; 1 as the first byte means that the rest is encrypted.
 *
 *     | 0 1 | words 5 bits, radio 5, binding 5, T 1, F 1, L 1, W 1, M 1, K 1, 3 | fragment 4 | options | frame |
 *
 * With T the frame is of the radio, which binding 1 says is 802.11, else Ethernet. Fragments (F) and keepalives (K) are
 * left alone.
 */
export function capwap(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8 || bytes[at] !== 0) return DONE;
  const word = packet.i32(at);
  const length = ((word >>> 19) & 31) * 4;
  if ((word & 0x88) !== 0 || length < 8 || packet.end < at + length + 14) return DONE;
  const isNative = (word & 0x100) !== 0;
  if (isNative && ((word >>> 9) & 31) !== 1) return DONE;
  packet.enterTunnel(CAPWAP_HOP, -1);
  packet.at = at + length;
  if (!isNative) return ETHERNET;
  // Some controllers send the two bytes of the frame control the other way round.
  packet.hint = (bytes[packet.at]! & 15) !== 8 && (bytes[packet.at + 1]! & 15) === 8 ? SWAPPED : 0;
  return IEEE80211;
}
