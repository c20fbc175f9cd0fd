import { ADDRESS_BITS, parseAddress } from "../model/address.js";
import { type AddressRange, type Cidr, cidrsOfRange, formatCidr, parseCidr, rangeOfCidr } from "../model/cidr.js";

/** Every address of both families. */
export const ALL_ADDRESSES: readonly AddressRange[] = [4, 6].map((family) => ({
  family: family as 4 | 6,
  first: 0n,
  last: (1n << BigInt(ADDRESS_BITS[family as 4 | 6])) - 1n,
}));

function compareRanges(a: AddressRange, b: AddressRange): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.last < b.last ? -1 : a.last > b.last ? 1 : 0;
}

/** Sorted, disjoint and not adjacent ranges with the same union. */
export function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  if (ranges.length <= 1) return [...ranges];
  const merged: AddressRange[] = [];
  for (const range of [...ranges].sort(compareRanges)) {
    const previous = merged.at(-1);
    if (previous !== undefined && previous.family === range.family && range.first <= previous.last + 1n) {
      if (range.last > previous.last) merged[merged.length - 1] = { ...previous, last: range.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** The addresses of `ranges` that are in none of `holes`, merged. */
export function subtractRanges(ranges: readonly AddressRange[], holes: readonly AddressRange[]): AddressRange[] {
  let left = mergeRanges(ranges);
  if (holes.length === 0) return left;
  for (const hole of mergeRanges(holes)) {
    left = left.flatMap((range) => {
      if (range.family !== hole.family || hole.last < range.first || hole.first > range.last) return [range];
      const parts: AddressRange[] = [];
      if (range.first < hole.first) parts.push({ family: range.family, first: range.first, last: hole.first - 1n });
      if (hole.last < range.last) parts.push({ family: range.family, first: hole.last + 1n, last: range.last });
      return parts;
    });
  }
  return left;
}

/** @throws {SyntaxError} If one of `cidrs` is not a CIDR. */
export function rangesOfCidrs(cidrs: readonly string[]): AddressRange[] {
  return mergeRanges(cidrs.map((text) => rangeOfCidr(parseCidr(text))));
}

/** The range of one address. @throws {SyntaxError} If `text` is not an address. */
export function rangeOfAddress(text: string): AddressRange {
  const address = parseAddress(text);
  return { family: address.family, first: address.value, last: address.value };
}

/** The fewest prefixes that cover exactly `ranges`, in canonical text, sorted. */
export function cidrTexts(ranges: readonly AddressRange[]): string[] {
  return mergeRanges(ranges)
    .flatMap((range): Cidr[] => cidrsOfRange(range))
    .map(formatCidr);
}

export function rangesContain(ranges: readonly AddressRange[], family: 4 | 6, value: bigint): boolean {
  return ranges.some((range) => range.family === family && range.first <= value && value <= range.last);
}
