import type { ServiceInterval } from "./service-line.js";

/** As numbers that grow with strictness, so that the stricter of two ends is their maximum. */
export const ALLOWED = 0;
export const AUDITED = 1;
export const DENIED = 2;
export type VerdictCode = typeof ALLOWED | typeof AUDITED | typeof DENIED;

/**
 * The verdict for every point of the service line: `codes[i]` holds from `starts[i]` to the next start. Canonical:
 * neighbours differ, so equal functions are equal texts, and `VerdictMaps` keeps each only once.
 */
export interface VerdictMap {
  readonly starts: Int32Array; // ascending, the first is 0
  readonly codes: Uint8Array;
}

export function codeAt(map: VerdictMap, service: number): VerdictCode {
  const { starts } = map;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= service) low = middle;
    else high = middle - 1;
  }
  return map.codes[low] as VerdictCode;
}

/** Hash-consed verdict maps: two maps are the same function exactly if they have the same number. */
export class VerdictMaps {
  readonly #maps: VerdictMap[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #stricter = new Map<number, number>();
  readonly open: number; // the map that allows everything

  constructor() {
    this.open = this.#intern([0], [ALLOWED]);
  }

  get(number: number): VerdictMap {
    return this.#maps[number]!;
  }

  #intern(starts: number[], codes: number[]): number {
    const text = `${starts.join()};${codes.join()}`;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#maps.push({ starts: Int32Array.from(starts), codes: Uint8Array.from(codes) }) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** The map that denies `denied`, audits what of `audited` is left, and allows the rest. Both sorted and disjoint. */
  of(denied: readonly ServiceInterval[], audited: readonly ServiceInterval[]): number {
    if (denied.length === 0 && audited.length === 0) return this.open;
    const starts: number[] = [0];
    const codes: number[] = [ALLOWED];
    let d = 0;
    let a = 0;
    // Each step stands at a point where one of the two lists may begin or end an interval.
    for (let point = 0; point < 1 << 24; ) {
      while (d < denied.length && denied[d]!.last < point) d++;
      while (a < audited.length && audited[a]!.last < point) a++;
      const deny = denied[d];
      const audit = audited[a];
      let next = 1 << 24;
      let code: VerdictCode = ALLOWED;
      if (audit !== undefined) {
        if (audit.first <= point) code = AUDITED;
        next = audit.first <= point ? audit.last + 1 : audit.first;
      }
      if (deny !== undefined) {
        if (deny.first <= point) code = DENIED;
        next = Math.min(next, deny.first <= point ? deny.last + 1 : deny.first);
      }
      if (point === 0) codes[0] = code;
      else if (codes.at(-1) !== code) {
        starts.push(point);
        codes.push(code);
      }
      point = next;
    }
    return this.#intern(starts, codes);
  }

  /** At each point the stricter of both: the verdict of two ends together. */
  stricter(one: number, other: number): number {
    if (one === other || other === this.open) return one;
    if (one === this.open) return other;
    const key = one < other ? one * 2 ** 26 + other : other * 2 ** 26 + one;
    let number = this.#stricter.get(key);
    if (number === undefined) {
      number = this.#merge(this.get(one), this.get(other));
      this.#stricter.set(key, number);
    }
    return number;
  }

  #merge(a: VerdictMap, b: VerdictMap): number {
    const starts: number[] = [];
    const codes: number[] = [];
    for (const { start, left, right } of overlay(a, b)) {
      const code = Math.max(left, right);
      if (codes.at(-1) === code) continue;
      starts.push(start);
      codes.push(code);
    }
    return this.#intern(starts, codes);
  }
}

/** Both maps side by side: the intervals on which neither changes, in order. */
export function* overlay(
  a: VerdictMap,
  b: VerdictMap,
): Generator<{
  readonly start: number;
  readonly end: number;
  readonly left: VerdictCode;
  readonly right: VerdictCode;
}> {
  let i = 0;
  let j = 0;
  let start = 0;
  while (i < a.starts.length) {
    const nextA = a.starts[i + 1] ?? 1 << 24;
    const nextB = b.starts[j + 1] ?? 1 << 24;
    const end = Math.min(nextA, nextB);
    yield { start, end, left: a.codes[i] as VerdictCode, right: b.codes[j] as VerdictCode };
    start = end;
    if (nextA === end) i++;
    if (nextB === end) j++;
  }
}
