import { formatAddress } from "../model/address.js";
import { WordInterner } from "../model/word-interner.js";

/**
 * Addresses as 32-bit words, so that both families share one key shape: an IPv4 address is its own value, an IPv6
 * address is a number given here.
 */
export class AddressTable {
  private readonly interner = new WordInterner(4);

  get size(): number {
    return this.interner.size;
  }

  /** The word of the IPv6 address in the 16 bytes at `at`. */
  intern(bytes: Uint8Array, at: number): number {
    const { key } = this.interner;
    for (let i = 0, from = at; i < 4; i++, from += 4) {
      key[i] = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
    }
    return this.interner.intern();
  }

  /** Writes the address in network order; an IPv4 address takes the first 4 of the 16 bytes. */
  write(family: number, word: number, into: Uint8Array, at: number): void {
    if (family === 4) {
      put(into, at, word);
      return;
    }
    const { words } = this.interner;
    for (let i = 0; i < 4; i++) put(into, at + 4 * i, words[word * 4 + i]!);
  }

  text(family: number, word: number): string {
    if (family === 4) return formatAddress({ family: 4, value: BigInt(word >>> 0) });
    const { words } = this.interner;
    let value = 0n;
    for (let i = 0; i < 4; i++) value = (value << 32n) | BigInt(words[word * 4 + i]! >>> 0);
    return formatAddress({ family: 6, value });
  }

  /** IPv4 before IPv6, then by value. */
  compare(familyA: number, a: number, familyB: number, b: number): number {
    if (familyA !== familyB) return familyA - familyB;
    if (familyA === 4) return (a >>> 0) - (b >>> 0);
    if (a === b) return 0;
    const { words } = this.interner;
    for (let i = 0; i < 4; i++) {
      const difference = (words[a * 4 + i]! >>> 0) - (words[b * 4 + i]! >>> 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Whether the address is multicast, or IPv4's limited broadcast: nobody sends from it. */
  isGroup(family: number, word: number): boolean {
    if (family === 4) return word >>> 28 === 14 || word === -1;
    return this.interner.words[word * 4]! >>> 24 === 255;
  }

  clear(): void {
    this.interner.clear();
  }
}

function put(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}
