const WORDS = 6; // family, four words of the address, number
const INITIAL_ENTRIES = 1024;

/**
 * Numbers of addresses by their bytes, found without making an object or a text: nearly every address of a batch is an old
 * acquaintance.
 */
export class AddressNumbers {
  private entries = 0;
  private words = new Uint32Array(INITIAL_ENTRIES * WORDS);
  private hashes = new Uint32Array(INITIAL_ENTRIES);
  private index = new Int32Array(INITIAL_ENTRIES * 2); // entry + 1; 0 is free

  /**
   * The number of the address in the 16 bytes at `offset`; one that is new gets the number that `numberOf` gives it.
   * `hash` is of the address.
   */
  get(family: number, bytes: Uint8Array, offset: number, hash: number, numberOf: () => number): number {
    const { index, words } = this;
    const isLong = family !== 4;
    const a = wordAt(bytes, offset);
    const b = isLong ? wordAt(bytes, offset + 4) : 0;
    const c = isLong ? wordAt(bytes, offset + 8) : 0;
    const d = isLong ? wordAt(bytes, offset + 12) : 0;
    const mask = index.length - 1;
    let place = hash & mask;
    for (; index[place] !== 0; place = (place + 1) & mask) {
      const at = ((index[place] as number) - 1) * WORDS;
      if (
        words[at + 1] === a &&
        words[at + 2] === b &&
        words[at + 3] === c &&
        words[at + 4] === d &&
        words[at] === family
      ) {
        return words[at + 5] as number;
      }
    }
    const number = numberOf();
    words.set([family, a, b, c, d, number], this.entries * WORDS);
    this.hashes[this.entries] = hash;
    index[place] = ++this.entries;
    if (this.entries === this.hashes.length) this.grow();
    return number;
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    const hashes = new Uint32Array(this.hashes.length * 2);
    hashes.set(this.hashes);
    const index = new Int32Array(this.index.length * 2);
    const mask = index.length - 1;
    for (let entry = 0; entry < this.entries; entry++) {
      let place = (hashes[entry] as number) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = entry + 1;
    }
    this.words = words;
    this.hashes = hashes;
    this.index = index;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}
