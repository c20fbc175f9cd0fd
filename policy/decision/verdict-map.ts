import { SERVICE_LINE_END, type ServiceInterval } from "./service-line.js";

/** As numbers that grow with strictness, so that the stricter of two ends is their maximum. */
export const ALLOWED = 0;
export const AUDITED = 1;
export const DENIED = 2;
export type VerdictCode = typeof ALLOWED | typeof AUDITED | typeof DENIED;

/** One step of a verdict map: `code` holds from `start` on, up to the next step. */
export interface VerdictStep {
  readonly start: number;
  readonly code: VerdictCode;
}

/**
 * Verdict maps: for every point of the service line a verdict. A map is a list of steps, canonical because neighbours
 * differ, and is kept only once: two maps are the same function exactly if they have the same number.
 *
 *     steps of map m:   #steps[#begins[m] .. #begins[m + 1])     each start << 2 | code, the first start is 0
 */
export class VerdictMaps {
  #steps = new Uint32Array(1024);
  #begins = new Uint32Array(256);
  #count = 0;
  readonly #alike = new Map<number, number[]>(); // maps by the hash of their steps
  readonly #stricter = new Map<number, number>();
  readonly open: number; // the map that allows everything

  constructor() {
    this.open = this.#intern([ALLOWED]);
  }

  codeAt(map: number, service: number): VerdictCode {
    const steps = this.#steps;
    const wanted = (service << 2) | 3;
    let low = this.#begins[map]!;
    let high = this.#begins[map + 1]! - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (steps[middle]! <= wanted) low = middle;
      else high = middle - 1;
    }
    return (steps[low]! & 3) as VerdictCode;
  }

  stepsOf(map: number): readonly VerdictStep[] {
    return Array.from(this.#steps.subarray(this.#begins[map], this.#begins[map + 1]), (step) => ({
      start: step >>> 2,
      code: (step & 3) as VerdictCode,
    }));
  }

  #intern(steps: readonly number[]): number {
    let hash = steps.length;
    for (let i = 0; i < steps.length; i++) hash = Math.imul(hash, 0x9e3779b1) ^ (steps[i]! + (hash >>> 15));
    const alike = this.#alike.get(hash);
    const known = alike?.find((map) => this.#hasSteps(map, steps));
    if (known !== undefined) return known;
    const begin = this.#begins[this.#count]!;
    const end = begin + steps.length;
    if (end > this.#steps.length) this.#steps = grown(this.#steps, end);
    if (this.#count + 2 > this.#begins.length) this.#begins = grown(this.#begins, this.#count + 2);
    this.#steps.set(steps, begin);
    this.#begins[this.#count + 1] = end;
    if (alike === undefined) this.#alike.set(hash, [this.#count]);
    else alike.push(this.#count);
    return this.#count++;
  }

  #hasSteps(map: number, steps: readonly number[]): boolean {
    const begin = this.#begins[map]!;
    return this.#begins[map + 1]! - begin === steps.length && steps.every((step, i) => this.#steps[begin + i] === step);
  }

  /** The map that denies `denied`, audits what of `audited` is left, and allows the rest. Both sorted and disjoint. */
  of(denied: readonly ServiceInterval[], audited: readonly ServiceInterval[]): number {
    if (denied.length === 0 && audited.length === 0) return this.open;
    const steps: number[] = [];
    let d = 0;
    let a = 0;
    // Each step stands at a point where one of the two lists may begin or end an interval.
    for (let point = 0; point < SERVICE_LINE_END; ) {
      while (d < denied.length && denied[d]!.last < point) d++;
      while (a < audited.length && audited[a]!.last < point) a++;
      const deny = denied[d];
      const audit = audited[a];
      let next = SERVICE_LINE_END;
      let code: VerdictCode = ALLOWED;
      if (audit !== undefined) {
        if (audit.first <= point) code = AUDITED;
        next = audit.first <= point ? audit.last + 1 : audit.first;
      }
      if (deny !== undefined) {
        if (deny.first <= point) code = DENIED;
        next = Math.min(next, deny.first <= point ? deny.last + 1 : deny.first);
      }
      append(steps, point, code);
      point = next;
    }
    return this.#intern(steps);
  }

  /** At each point the stricter of both: the verdict of two ends together. */
  stricter(one: number, other: number): number {
    if (one === other || other === this.open) return one;
    if (one === this.open) return other;
    const key = one < other ? one * 2 ** 26 + other : other * 2 ** 26 + one;
    let number = this.#stricter.get(key);
    if (number === undefined) {
      number = this.#merge(one, other);
      this.#stricter.set(key, number);
    }
    return number;
  }

  #merge(one: number, other: number): number {
    const steps = this.#steps;
    const oneEnd = this.#begins[one + 1]!;
    const otherEnd = this.#begins[other + 1]!;
    const merged: number[] = [];
    for (let i = this.#begins[one]!, j = this.#begins[other]!, start = 0; start < SERVICE_LINE_END; ) {
      append(merged, start, Math.max(steps[i]! & 3, steps[j]! & 3) as VerdictCode);
      const nextOne = i + 1 < oneEnd ? steps[i + 1]! >>> 2 : SERVICE_LINE_END;
      const nextOther = j + 1 < otherEnd ? steps[j + 1]! >>> 2 : SERVICE_LINE_END;
      start = Math.min(nextOne, nextOther);
      if (nextOne === start) i++;
      if (nextOther === start) j++;
    }
    return this.#intern(merged);
  }

  /** Both maps side by side: the intervals on which neither changes, in order. */
  *overlay(a: number, b: number): Generator<OverlayStep> {
    const left = this.stepsOf(a);
    const right = this.stepsOf(b);
    let start = 0;
    for (let i = 0, j = 0; i < left.length; ) {
      const nextLeft = left[i + 1]?.start ?? SERVICE_LINE_END;
      const nextRight = right[j + 1]?.start ?? SERVICE_LINE_END;
      const end = Math.min(nextLeft, nextRight);
      yield { start, end, left: left[i]!.code, right: right[j]!.code };
      start = end;
      if (nextLeft === end) i++;
      if (nextRight === end) j++;
    }
  }
}

/** An interval of the service line on which two maps do not change. */
export interface OverlayStep {
  readonly start: number;
  readonly end: number; // excluded
  readonly left: VerdictCode;
  readonly right: VerdictCode;
}

/** Adds a step unless it changes nothing. */
function append(steps: number[], start: number, code: VerdictCode): void {
  if (steps.length === 0 || (steps[steps.length - 1]! & 3) !== code) steps.push((start << 2) | code);
}

function grown(array: Uint32Array<ArrayBuffer>, needed: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(needed, array.length * 2));
  larger.set(array);
  return larger;
}
