/**
 * Gives tuples of `width` 32-bit words dense ids 0, 1, 2 ..., equal tuples the same id, without an object or a string:
 * write the words into `key`, call `intern`, read them back from `words` at `id * width`.
 */
export class WordInterner {
  readonly key: Int32Array;
  words: Int32Array;
  size = 0;
  // Open addressing: pairs (id + 1, hash), 0 is free. The hash spares a visit to tuples that only share the place.
  private index: Int32Array;

  constructor(
    readonly width: number,
    private readonly initialCapacity = 16, // a power of two; small, so that growing is not news to the compiler later on
  ) {
    this.key = new Int32Array(width);
    this.words = new Int32Array(width * initialCapacity);
    this.index = new Int32Array(initialCapacity * 4);
  }

  private hashOfKey(): number {
    const { key } = this;
    let h = 0x9e3779b9 | 0;
    for (let i = 0; i < key.length; i++) {
      h = Math.imul(h ^ key[i]!, 0x85ebca6b);
      h ^= h >>> 15;
    }
    return h;
  }

  /** The id of the words in `key`, or -1 when they have none. */
  find(): number {
    return this.index[this.place(this.hashOfKey())]! - 1;
  }

  /** Where in the index the words in `key` are, or would be. */
  private place(hash: number): number {
    const { key, index, words } = this;
    const width = key.length;
    const mask = index.length - 2;
    for (let place = (hash << 1) & mask; ; place = (place + 2) & mask) {
      const id = index[place]! - 1;
      if (id < 0) return place;
      if (index[place + 1] !== hash) continue;
      let i = 0;
      const at = id * width;
      while (i < width && words[at + i] === key[i]) i++;
      if (i === width) return place;
    }
  }

  /** The id of the words in `key`. */
  intern(): number {
    const hash = this.hashOfKey();
    let place = this.place(hash);
    const known = this.index[place]! - 1;
    if (known >= 0) return known;
    const { key } = this;
    if ((this.size + 1) * key.length > this.words.length) {
      this.grow();
      place = this.place(hash);
    }
    const id = this.size++;
    const at = id * key.length;
    for (let i = 0; i < key.length; i++) this.words[at + i] = key[i]!;
    this.index[place] = id + 1;
    this.index[place + 1] = hash;
    return id;
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const old = this.index;
    const index = new Int32Array(old.length * 2);
    const mask = index.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      let place = (old[from + 1]! << 1) & mask;
      while (index[place] !== 0) place = (place + 2) & mask;
      index[place] = old[from]!;
      index[place + 1] = old[from + 1]!;
    }
    this.index = index;
  }

  /** Forgets everything: ids given before mean nothing any more. */
  clear(): void {
    this.words = new Int32Array(this.width * this.initialCapacity);
    this.index = new Int32Array(this.initialCapacity * 4);
    this.size = 0;
  }
}
