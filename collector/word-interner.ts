/**
 * Gives tuples of `width` 32-bit words dense ids 0, 1, 2 ..., equal tuples the same id, without an object or a string:
 * write the words into `key`, call `intern`, read them back from `words` at `id * width`.
 */
export class WordInterner {
  readonly key: Int32Array;
  words: Int32Array;
  size = 0;
  private index: Int32Array; // open addressing; id + 1, 0 is free

  constructor(
    readonly width: number,
    private readonly initialCapacity = 1024,
  ) {
    this.key = new Int32Array(width);
    this.words = new Int32Array(width * initialCapacity);
    this.index = new Int32Array(initialCapacity * 4);
  }

  private hash(words: Int32Array, at: number): number {
    let h = 0x9e3779b9 | 0;
    for (let i = 0; i < this.width; i++) {
      h = Math.imul(h ^ words[at + i]!, 0x85ebca6b);
      h ^= h >>> 15;
    }
    return h;
  }

  /** The id of the words in `key`, or -1 when they have none. */
  find(): number {
    return this.index[this.place()]! - 1;
  }

  /** Where in the index the words in `key` are, or would be. */
  private place(): number {
    const { key, width, index, words } = this;
    const mask = index.length - 1;
    for (let slot = this.hash(key, 0) & mask; ; slot = (slot + 1) & mask) {
      const id = index[slot]! - 1;
      if (id < 0) return slot;
      let i = 0;
      const at = id * width;
      while (i < width && words[at + i] === key[i]) i++;
      if (i === width) return slot;
    }
  }

  /** The id of the words in `key`. */
  intern(): number {
    let slot = this.place();
    const known = this.index[slot]! - 1;
    if (known >= 0) return known;
    if ((this.size + 1) * this.width > this.words.length) {
      this.grow();
      slot = this.place();
    }
    const id = this.size++;
    this.words.set(this.key, id * this.width);
    this.index[slot] = id + 1;
    return id;
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    this.index = new Int32Array(this.index.length * 2);
    const mask = this.index.length - 1;
    for (let id = 0; id < this.size; id++) {
      let slot = this.hash(words, id * this.width) & mask;
      while (this.index[slot] !== 0) slot = (slot + 1) & mask;
      this.index[slot] = id + 1;
    }
  }

  /** Forgets everything: ids given before mean nothing any more. */
  clear(): void {
    this.words = new Int32Array(this.width * this.initialCapacity);
    this.index = new Int32Array(this.initialCapacity * 4);
    this.size = 0;
  }
}
