import type { AtomRanges } from "./end-space.js";

/** Sorted and disjoint ranges with the union of all `parts`. */
export function uniteAtoms(parts: readonly AtomRanges[]): AtomRanges {
  const pairs: [number, number][] = [];
  for (const part of parts) for (let i = 0; i < part.length; i += 2) pairs.push([part[i]!, part[i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [start, end] of pairs) {
    if (start >= end) continue;
    const last = merged.length - 1;
    if (last > 0 && start <= merged[last]!) merged[last] = Math.max(merged[last]!, end);
    else merged.push(start, end);
  }
  return merged;
}

export function complementAtoms(ranges: AtomRanges, atomCount: number): AtomRanges {
  const rest: number[] = [];
  let next = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > next) rest.push(next, ranges[i]!);
    next = ranges[i + 1]!;
  }
  if (next < atomCount) rest.push(next, atomCount);
  return rest;
}

export function intersectAtoms(a: AtomRanges, b: AtomRanges): AtomRanges {
  const shared: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const start = Math.max(a[i]!, b[j]!);
    const end = Math.min(a[i + 1]!, b[j + 1]!);
    if (start < end) shared.push(start, end);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return shared;
}

export function hasAtom(ranges: AtomRanges, atom: number): boolean {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[2 * middle + 1]! <= atom) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length / 2 && ranges[2 * low]! <= atom;
}
