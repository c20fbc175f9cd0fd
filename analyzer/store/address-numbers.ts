import { WordInterner } from "../../model/word-interner.js";

/**
 * Numbers of addresses by their bytes, found without making an object or a text: nearly every address of a batch is an old
 * acquaintance.
 */
export class AddressNumbers {
  private readonly interner = new WordInterner(5); // family, four words of the address
  private numbers = new Uint32Array(16);

  /** The number of the address in the 16 bytes at `offset`; one that is new gets the number that `numberOf` gives it. */
  get(
    family: number,
    bytes: Uint8Array,
    offset: number,
    numberOf: (family: number, bytes: Uint8Array, offset: number) => number,
  ): number {
    const { key, size } = this.interner;
    key[0] = family;
    key[1] = wordAt(bytes, offset);
    const isLong = family !== 4;
    key[2] = isLong ? wordAt(bytes, offset + 4) : 0;
    key[3] = isLong ? wordAt(bytes, offset + 8) : 0;
    key[4] = isLong ? wordAt(bytes, offset + 12) : 0;
    const id = this.interner.intern();
    if (id < size) return this.numbers[id] as number;
    if (id === this.numbers.length) {
      const numbers = new Uint32Array(id * 2);
      numbers.set(this.numbers);
      this.numbers = numbers;
    }
    const number = numberOf(family, bytes, offset);
    this.numbers[id] = number;
    return number;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
