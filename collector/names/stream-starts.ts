const NONE = -1;

/**
 * The first bytes of a bounded number of streams, put together from pieces in any order. When all slots are taken the
 * stream that was opened first gives way. Keys are chosen by the caller and are his to close.
 */
export class StreamStarts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #isPresent: Uint8Array<ArrayBuffer>;
  readonly #slotOfKey = new Map<number, number>();
  readonly #keyOfSlot: Float64Array;
  readonly #baseOfSlot: Float64Array;
  readonly #wholeOfSlot: Int32Array;
  #next = 0;

  constructor(
    readonly slots = 256,
    readonly slotBytes = 4096,
  ) {
    this.bytes = new Uint8Array(slots * slotBytes);
    this.#isPresent = new Uint8Array(slots * slotBytes);
    this.#keyOfSlot = new Float64Array(slots).fill(NONE);
    this.#baseOfSlot = new Float64Array(slots);
    this.#wholeOfSlot = new Int32Array(slots);
  }

  /** Slot of an open stream, or -1. */
  find(key: number): number {
    return this.#slotOfKey.size === 0 ? NONE : (this.#slotOfKey.get(key) ?? NONE);
  }

  /** Whether a stream is open. */
  has(key: number): boolean {
    return this.#slotOfKey.size > 0 && this.#slotOfKey.has(key);
  }

  /** Opens an empty stream; `base` is kept for the caller, e.g. the sequence number of the first byte. */
  open(key: number, base: number): number {
    this.close(key);
    const slot = this.#next;
    this.#next = (slot + 1) % this.slots;
    this.close(this.#keyOfSlot[slot] as number);
    this.#slotOfKey.set(key, slot);
    this.#keyOfSlot[slot] = key;
    this.#baseOfSlot[slot] = base;
    this.#wholeOfSlot[slot] = 0;
    this.#isPresent.fill(0, slot * this.slotBytes, (slot + 1) * this.slotBytes);
    return slot;
  }

  close(key: number): void {
    const slot = this.find(key);
    if (slot === NONE) return;
    this.#slotOfKey.delete(key);
    this.#keyOfSlot[slot] = NONE;
  }

  baseOf(slot: number): number {
    return this.#baseOfSlot[slot] as number;
  }

  /** Where the slot's bytes begin in `bytes`. */
  offsetOf(slot: number): number {
    return slot * this.slotBytes;
  }

  /** Puts a piece at `position`; what lies outside the slot is dropped. Answers how many bytes from 0 on are without a hole. */
  write(slot: number, position: number, buffer: Uint8Array, offset: number, length: number): number {
    const take = Math.min(length, this.slotBytes - position);
    const start = slot * this.slotBytes;
    if (position >= 0 && take > 0) {
      this.bytes.set(buffer.subarray(offset, offset + take), start + position);
      this.#isPresent.fill(1, start + position, start + position + take);
    }
    let whole = this.#wholeOfSlot[slot] as number;
    while (whole < this.slotBytes && this.#isPresent[start + whole] === 1) whole++;
    this.#wholeOfSlot[slot] = whole;
    return whole;
  }
}
