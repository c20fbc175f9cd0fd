/** A set of small whole numbers below a fixed size, one bit each. */
export class Bitset {
  readonly words: Uint32Array;

  constructor(readonly size: number) {
    this.words = new Uint32Array((size + 31) >>> 5);
  }

  static full(size: number): Bitset {
    const set = new Bitset(size);
    for (let i = 0; i < size; i++) set.add(i);
    return set;
  }

  add(member: number): void {
    this.words[member >>> 5]! |= 1 << (member & 31);
  }

  has(member: number): boolean {
    return ((this.words[member >>> 5] ?? 0) & (1 << (member & 31))) !== 0;
  }

  and(other: Bitset): Bitset {
    const set = new Bitset(this.size);
    for (let i = 0; i < set.words.length; i++) set.words[i] = this.words[i]! & other.words[i]!;
    return set;
  }

  or(other: Bitset): Bitset {
    const set = new Bitset(this.size);
    for (let i = 0; i < set.words.length; i++) set.words[i] = this.words[i]! | other.words[i]!;
    return set;
  }

  minus(other: Bitset): Bitset {
    const set = new Bitset(this.size);
    for (let i = 0; i < set.words.length; i++) set.words[i] = this.words[i]! & ~other.words[i]!;
    return set;
  }

  isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  /** Members in ascending order. */
  forEach(visit: (member: number) => void): void {
    for (let i = 0; i < this.words.length; i++) {
      let word = this.words[i]!;
      while (word !== 0) {
        const lowest = word & -word;
        visit((i << 5) + (31 - Math.clz32(lowest)));
        word ^= lowest;
      }
    }
  }
}
