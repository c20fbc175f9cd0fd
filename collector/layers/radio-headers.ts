import { PADDED } from "./ieee80211.js";
import { IEEE80211, MALFORMED, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

/** Radiotap: | version 1 | 1 | length 2 | fields present 4, again while bit 31 | fields ... |, all little-endian. */
export function radiotap(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8) return packet.fail(TRUNCATED);
  const length = bytes[at + 2]! | (bytes[at + 3]! << 8);
  if (length < 8) return packet.fail(MALFORMED);
  if (packet.end - at < length) return packet.fail(TRUNCATED);
  packet.hint = 0;
  let fields = at + 8;
  for (let word = at + 7; (bytes[word]! & 0x80) !== 0 && fields + 4 <= at + length; word += 4) fields += 4;
  const present = bytes[at + 4]!;
  if ((present & 1) !== 0) fields = at + ((fields - at + 7) & ~7) + 8; // a clock, aligned to its size
  if ((present & 2) !== 0 && fields < at + length) packet.hint = bytes[fields]! & PADDED;
  packet.at = at + length;
  return IEEE80211;
}

/** Prism: | message 4 | length 4 | ... | in the byte order of the host; an AVS header may stand in its place. */
export function prism(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 8) return packet.fail(TRUNCATED);
  if (((packet.i32(at) & 0xfffff000) | 0) === (0x80211000 | 0)) return avs(packet);
  const little = bytes[at + 4]! | (bytes[at + 5]! << 8);
  return stepOver(packet, little === 0 ? packet.u16(at + 6) : little);
}

/** AVS: | version 4 | length 4 | ... |, big-endian. */
export function avs(packet: Packet): number {
  if (packet.end - packet.at < 8) return packet.fail(TRUNCATED);
  return stepOver(packet, packet.i32(packet.at + 4));
}

function stepOver(packet: Packet, length: number): number {
  if (length < 8) return packet.fail(MALFORMED);
  if (packet.end - packet.at < length) return packet.fail(TRUNCATED);
  packet.hint = 0;
  packet.at += length;
  return IEEE80211;
}
