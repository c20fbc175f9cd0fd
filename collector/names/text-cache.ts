/**
 * Texts of runs of bytes that come again and again: the same bytes give the same string, without it being made anew, and
 * hashed again by every map that it is looked up in. Bounded; what shares a place with another run is made again.
 */
export class TextCache {
  private readonly bytes: Uint8Array;
  private readonly lengths: Uint8Array;
  private readonly texts: string[];

  /**
   * @param textOf the text of bytes [start, end)
   * @param slots a power of two
   * @param slotBytes the longest run that is remembered, at most 255
   */
  constructor(
    private readonly textOf: (bytes: Uint8Array, start: number, end: number) => string,
    private readonly slots: number,
    private readonly slotBytes: number,
  ) {
    this.bytes = new Uint8Array(slots * slotBytes);
    this.lengths = new Uint8Array(slots);
    this.texts = Array<string>(slots).fill("");
  }

  /** The text of bytes [start, end), of which there is at least one. */
  of(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > this.slotBytes) return this.textOf(bytes, start, end);
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193); // FNV-1a
    const slot = (hash ^ (hash >>> 15)) & (this.slots - 1);
    if (this.lengths[slot] === length && this.isHeld(slot, bytes, start, length)) return this.texts[slot]!;
    const text = this.textOf(bytes, start, end);
    for (let i = 0, to = slot * this.slotBytes; i < length; i++) this.bytes[to + i] = bytes[start + i]!;
    this.lengths[slot] = length;
    this.texts[slot] = text;
    return text;
  }

  private isHeld(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
    const { bytes: held, slotBytes } = this;
    const from = slot * slotBytes;
    for (let i = 0; i < length; i++) if (held[from + i] !== bytes[start + i]) return false;
    return true;
  }
}
