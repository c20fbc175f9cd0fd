/**
 * Reads an LZ4 frame into at most `most` bytes. Our own, because a bound is what matters here and no library takes
 * one, and because every Portolan must be able to read what another wrote, also where no native codec loads.
 *
 *     frame   magic 0x184d2204, flags, block descriptor, [content size: 8], [dictionary id: 4], header checksum,
 *             block*, 0: 4, [content checksum: 4]
 *     block   size: 4 (highest bit: not compressed), data, [checksum: 4]
 *     data    sequence*; a sequence is token (literals << 4 | match - 4), more literal length, literals,
 *             offset: 2, more match length; the last one ends with its literals
 *
 * The checksums are passed over: the record batch around the frame has one of its own.
 * @throws {RangeError} If it is no whole frame. @throws {TooLarge} If it holds more than `most` bytes.
 */
export function readLz4Frame(frame: Uint8Array, most: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new RangeError("it does not begin as an LZ4 frame");
  const flags = frame[4]!;
  if (flags >>> 6 !== 1 || (flags & 3) !== 0) throw new RangeError("its LZ4 version or dictionary is not ours");
  const hasBlockSums = (flags & 0x10) !== 0;
  const hasSize = (flags & 0x08) !== 0;
  const blockSize = BLOCK_SIZES[(frame[5]! >>> 4) & 7];
  if (blockSize === undefined) throw new RangeError("its block size is unknown");
  let at = 7 + (hasSize ? 8 : 0);
  let out = new Uint8Array(Math.min(most, Math.max(1024, 4 * frame.length)));
  let end = 0;
  for (;;) {
    if (at + 4 > frame.length) throw new RangeError("it ends within a block");
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return out.subarray(0, end);
    const size = word & 0x7fffffff;
    if (size > blockSize || at + size > frame.length) throw new RangeError("a block leaves the frame");
    const room = Math.min(end + blockSize, most);
    if (out.length < room) {
      const wider = new Uint8Array(Math.min(most, Math.max(room, 2 * out.length)));
      wider.set(out.subarray(0, end));
      out = wider;
    }
    if (word >>> 31 === 1) {
      if (end + size > room) throw new TooLarge();
      out.set(frame.subarray(at, at + size), end);
      end += size;
    } else {
      end = readBlock(frame, at, at + size, out, end, room);
    }
    at += size + (hasBlockSums ? 4 : 0);
  }
}

const MAGIC = 0x184d2204;
const BLOCK_SIZES: readonly (number | undefined)[] = [
  undefined,
  undefined,
  undefined,
  undefined,
  64 * 1024,
  256 * 1024,
  1024 * 1024,
  4 * 1024 * 1024,
];

/** More comes out than was agreed on. */
export class TooLarge extends Error {}

/** Writes one block behind `out[to]`, never at or behind `room`, and returns the new end. */
function readBlock(from: Uint8Array, start: number, end: number, out: Uint8Array, to: number, room: number): number {
  let at = start;
  let length = 0;
  const more = () => {
    for (let byte = 255; byte === 255; ) {
      if (at >= end) throw new RangeError("a length leaves its block");
      byte = from[at++]!;
      length += byte;
    }
  };
  while (at < end) {
    const token = from[at++]!;
    length = token >>> 4;
    if (length === 15) more();
    if (at + length > end) throw new RangeError("literals leave their block");
    if (to + length > room) throw new TooLarge();
    for (const stop = at + length; at < stop; ) out[to++] = from[at++]!;
    if (at === end) return to;
    if (at + 2 > end) throw new RangeError("a match leaves its block");
    const distance = from[at]! | (from[at + 1]! << 8);
    at += 2;
    length = token & 15;
    if (length === 15) more();
    length += 4;
    if (distance === 0 || distance > to) throw new RangeError("a match points before the frame");
    if (to + length > room) throw new TooLarge();
    for (const stop = to + length; to < stop; to++) out[to] = out[to - distance]!;
  }
  return to;
}
