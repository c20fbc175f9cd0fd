import { LLC, TRUNCATED } from "./layer.js";
import type { Packet } from "./packet.js";

const DATA = 2;

/** Hints for this layer: the header is padded; its first two bytes are swapped. */
export const PADDED = 0x20;
export const SWAPPED = 0x40;

/**
 * An 802.11 data frame that is not encrypted.
 *
 *     | 2 bits, type 2, subtype 4 | flags 1 | duration 2 | address 6 | address 6 | address 6 | sequence 2 |
 *     [address 6 if to and from the distribution system] [QoS 2] [HT 4] | LLC |
 */
export function ieee80211(packet: Packet): number {
  const { at, bytes } = packet;
  if (packet.end - at < 24) return packet.notIp(); // control frames are this short
  const isSwapped = packet.hint === SWAPPED;
  const control = bytes[isSwapped ? at + 1 : at]!;
  const flags = bytes[isSwapped ? at : at + 1]!;
  const subtype = control >>> 4;
  if (((control >>> 2) & 3) !== DATA || (subtype & 4) !== 0 || (flags & 0x40) !== 0) return packet.notIp();
  let length = (flags & 3) === 3 ? 30 : 24;
  const isQos = (subtype & 8) !== 0;
  if (isQos) {
    const isAggregate = packet.end >= at + length + 1 && (bytes[at + length]! & 0x80) !== 0;
    length += 2 + ((flags & 0x80) === 0 ? 0 : 4);
    if (isAggregate) length += 14; // the first frame of several has its own | destination 6 | source 6 | length 2 |
  }
  // Some drivers pad the header to a multiple of 4; then the LLC header stands 2 bytes further.
  if (packet.hint === PADDED) length = (length + 3) & ~3;
  if (packet.end - at < length) return packet.fail(TRUNCATED);
  packet.at = at + length;
  return LLC;
}
