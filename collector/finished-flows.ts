import type { AddressTable } from "./address-table.js";
import { ADDRESS_HIGH, ADDRESS_LOW, FAMILY6, META, PORTS, SLOT_WORDS, START_F64 } from "./flow-slot.js";

/** A finished flow is its slot's words and two more: what the opening packet told (see FlowTable), names and part. */
export const ROW_WORDS = SLOT_WORDS + 2;
export const ROW_DOUBLES = ROW_WORDS / 2;
export const DETAIL = SLOT_WORDS;
export const NAMES_AND_PART = SLOT_WORDS + 1; // list of names << 1, see NameLists | 1 for a later part of a flow

/** Flows that are over, waiting to be exported in order. */
export class FinishedFlows {
  length = 0;
  words: Int32Array;
  doubles: Float64Array;
  private readonly initialRows: number;

  constructor(initialRows = 4096) {
    this.initialRows = initialRows;
    this.words = new Int32Array(initialRows * ROW_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
  }

  push(from: Int32Array, at: number, detail: number, laterPart: number, names: number): void {
    if ((this.length + 1) * ROW_WORDS > this.words.length) this.reserve(this.length);
    const { words } = this;
    const to = this.length * ROW_WORDS;
    for (let i = 0; i < SLOT_WORDS; i++) words[to + i] = from[at + i]!;
    words[to + DETAIL] = detail;
    words[to + NAMES_AND_PART] = (names << 1) | laterPart;
    this.length++;
  }

  /** Makes room for `more` rows behind those that are there. */
  reserve(more: number): void {
    const wanted = (this.length + more) * ROW_WORDS;
    if (wanted <= this.words.length) return;
    const words = new Int32Array(wanted);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }

  /** Row numbers by time of the first packet, then by tuple, so that equal captures give equal exports. */
  inOrder(addresses: AddressTable): Uint32Array {
    const order = sortByTime(this.doubles, this.length);
    const { doubles, words } = this;
    const compare = (a: number, b: number) => {
      const x = a * ROW_WORDS;
      const y = b * ROW_WORDS;
      const familyX = words[x + META]! & FAMILY6 ? 6 : 4;
      const familyY = words[y + META]! & FAMILY6 ? 6 : 4;
      // Which side is "lower" follows from numbers given in order of arrival, so both are put in order here first.
      const [lowX, highX] = sortedPair(addresses, familyX, words[x + ADDRESS_LOW]!, words[x + ADDRESS_HIGH]!);
      const [lowY, highY] = sortedPair(addresses, familyY, words[y + ADDRESS_LOW]!, words[y + ADDRESS_HIGH]!);
      return (
        addresses.compare(familyX, lowX, familyY, lowY) ||
        addresses.compare(familyX, highX, familyY, highY) ||
        (words[x + META]! & 255) - (words[y + META]! & 255) ||
        (words[x + PORTS]! >>> 0) - (words[y + PORTS]! >>> 0) ||
        words[x + META]! - words[y + META]! ||
        a - b
      );
    };
    let first = 0;
    let firstUs = Number.NaN;
    for (let i = 0; i <= order.length; i++) {
      const startUs = i < order.length ? doubles[order[i]! * ROW_DOUBLES + START_F64]! : Number.NaN;
      if (startUs === firstUs) continue;
      if (i - first > 1) order.subarray(first, i).sort(compare);
      first = i;
      firstUs = startUs;
    }
    return order;
  }

  clear(): void {
    this.length = 0;
    if (this.words.length > this.initialRows * ROW_WORDS) {
      this.words = new Int32Array(this.initialRows * ROW_WORDS);
      this.doubles = new Float64Array(this.words.buffer);
    }
  }
}

function sortedPair(addresses: AddressTable, family: number, a: number, b: number): readonly [number, number] {
  return addresses.compare(family, a, family, b) <= 0 ? [a, b] : [b, a];
}

const DIGIT_BITS = 14;

/** Rows by start time: a least-significant-digit radix sort, as half a million comparisons by callback take too long. */
function sortByTime(doubles: Float64Array, length: number): Uint32Array {
  const startsUs = new Float64Array(length); // beside each other, as rows are far apart in memory
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < length; row++) {
    const startUs = doubles[row * ROW_DOUBLES + START_F64]!;
    startsUs[row] = startUs;
    if (startUs < least) least = startUs;
    if (startUs > most) most = startUs;
  }
  let order = new Uint32Array(length);
  let sorted = new Uint32Array(length);
  const digits = new Uint16Array(length);
  const ends = new Uint32Array(1 << DIGIT_BITS);
  for (let row = 0; row < length; row++) order[row] = row;
  for (let unit = 1; unit <= most - least; unit *= 1 << DIGIT_BITS) {
    ends.fill(0);
    for (let row = 0; row < length; row++) {
      const digit = Math.floor((startsUs[row]! - least) / unit) % (1 << DIGIT_BITS);
      digits[row] = digit;
      ends[digit] = ends[digit]! + 1;
    }
    for (let digit = 1; digit < ends.length; digit++) ends[digit] = ends[digit]! + ends[digit - 1]!;
    for (let i = length - 1; i >= 0; i--) {
      const row = order[i]!;
      const place = ends[digits[row]!]! - 1;
      ends[digits[row]!] = place;
      sorted[place] = row;
    }
    [order, sorted] = [sorted, order];
  }
  return order;
}
