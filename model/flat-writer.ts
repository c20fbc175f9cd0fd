/** A place in a flat buffer: its distance from the end, since a flat buffer is written from its end to its start. */
export type Ref = number;

/** A field of a table: absent, a reference, or a whole number of `size` bytes. */
export type Slot = undefined | { readonly ref: Ref } | { readonly value: number; readonly size: 1 | 2 | 4 | 8 };

const utf8 = new TextEncoder();

/**
 * Writes one flat buffer (the format of Arrow's message headers): what is referred to first, then who refers to it.
 *
 *     table   offset to its layout: 4 (signed), then its fields, each aligned to its size
 *     layout  its bytes: 2, the table's bytes: 2, then per field its place in the table: 2, 0 where it is absent
 *     vector  count: 4, elements          string  a vector of UTF-8 bytes with a 0 behind
 */
export class FlatWriter {
  private bytes = new Uint8Array(4096);
  private view = new DataView(this.bytes.buffer);
  private head = this.bytes.length;

  /** Makes room for `size` bytes behind which `behind` more come, with the first aligned to `size`. */
  private prepare(size: number, behind: number): void {
    const used = this.bytes.length - this.head;
    const pad = -(used + behind) & (size - 1);
    if (this.head < pad + size + behind) this.grow(pad + size + behind);
    this.head -= pad;
  }

  private grow(needed: number): void {
    const used = this.bytes.length - this.head;
    const wider = new Uint8Array(Math.max(2 * this.bytes.length, 2 * (used + needed)));
    wider.set(this.bytes.subarray(this.head), wider.length - used);
    this.bytes = wider;
    this.view = new DataView(wider.buffer);
    this.head = wider.length - used;
  }

  private put(value: number, size: 1 | 2 | 4 | 8): void {
    this.prepare(size, 0);
    this.head -= size;
    if (size === 8) this.view.setBigInt64(this.head, BigInt(value), true);
    else if (size === 4) this.view.setInt32(this.head, value, true);
    else if (size === 2) this.view.setInt16(this.head, value, true);
    else this.view.setInt8(this.head, value);
  }

  private refer(ref: Ref): void {
    this.prepare(4, 0);
    this.put(this.bytes.length - this.head - ref + 4, 4);
  }

  private here(): Ref {
    return this.bytes.length - this.head;
  }

  text(text: string): Ref {
    const most = 3 * text.length;
    if (this.head < most + 16) this.grow(most + 16);
    // Written at the front of the free room first, since its length in bytes is not known before.
    const { written } = utf8.encodeInto(text, this.bytes);
    this.prepare(4, written + 1);
    this.head--;
    this.bytes[this.head] = 0;
    this.head -= written;
    this.bytes.copyWithin(this.head, 0, written);
    this.bytes.fill(0, 0, Math.min(written, this.head));
    this.put(written, 4);
    return this.here();
  }

  refs(refs: readonly Ref[]): Ref {
    this.prepare(4, 4 * refs.length);
    for (let i = refs.length - 1; i >= 0; i--) this.refer(refs[i] as Ref);
    this.put(refs.length, 4);
    return this.here();
  }

  /** A vector of structs of two 64-bit numbers each. */
  pairs(pairs: readonly (readonly [number, number])[]): Ref {
    this.prepare(4, 16 * pairs.length);
    this.prepare(8, 16 * pairs.length);
    for (let i = pairs.length - 1; i >= 0; i--) {
      const [first, second] = pairs[i] as readonly [number, number];
      this.put(second, 8);
      this.put(first, 8);
    }
    this.put(pairs.length, 4);
    return this.here();
  }

  table(slots: readonly Slot[]): Ref {
    const end = this.here();
    const places: number[] = slots.map(() => 0);
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i];
      if (slot === undefined) continue;
      if ("ref" in slot) this.refer(slot.ref);
      else this.put(slot.value, slot.size);
      places[i] = this.here();
    }
    this.put(0, 4); // the offset to the layout, known below
    const table = this.here();
    for (let i = slots.length - 1; i >= 0; i--) this.put(places[i] === 0 ? 0 : table - (places[i] as number), 2);
    this.put(table - end, 2);
    this.put(4 + 2 * slots.length, 2);
    this.view.setInt32(this.bytes.length - table, this.here() - table, true);
    return table;
  }

  /** The whole buffer, its length a multiple of 8. Valid until the writer is used again, which begins a new one. */
  finish(root: Ref): Uint8Array {
    this.prepare(8, 4);
    this.put(this.here() - root + 4, 4);
    const whole = this.bytes.subarray(this.head);
    this.head = this.bytes.length;
    return whole;
  }
}
