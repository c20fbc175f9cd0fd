import type { Inventory } from "../../model/workload.js";
import type { WorkloadSelector } from "../peer.js";
import { complementAtoms, hasAtom, intersectAtoms, uniteAtoms } from "./atom-ranges.js";
import { Bitset } from "./bitset.js";
import type { EndSet } from "./end-set.js";
import { type AtomRanges, EndSpace } from "./end-space.js";
import { WorkloadIndex } from "./workload-index.js";

/** A set of ends with its meaning: workload points and atoms. Atoms that are a workload's address say nothing. */
interface ResolvedSet {
  readonly points: Bitset;
  readonly atoms: AtomRanges;
}

function* cidrsIn(set: EndSet): Generator<string> {
  switch (set.kind) {
    case "addresses":
      yield* set.cidrs;
      break;
    case "not":
      yield* cidrsIn(set.set);
      break;
    case "and":
    case "or":
      for (const part of set.sets) yield* cidrsIn(part);
      break;
    case "all":
    case "selected":
    case "listed":
      break;
  }
}

const SELECTOR_TEXTS = new WeakMap<WorkloadSelector, string>();

function textOfSelector(selector: WorkloadSelector): string {
  let text = SELECTOR_TEXTS.get(selector);
  if (text === undefined) {
    text = JSON.stringify(selector);
    SELECTOR_TEXTS.set(selector, text);
  }
  return text;
}

/** The same for sets that are written alike, and only for them: labels and ids may hold any sign, so they go as JSON. */
function textOf(set: EndSet): string {
  switch (set.kind) {
    case "all":
      return "all";
    case "selected":
      return textOfSelector(set.selector);
    case "listed":
      return JSON.stringify(set.workloads);
    case "addresses":
      return `${set.of} ${set.cidrs.join()}`;
    case "not":
      return `not(${textOf(set.set)})`;
    case "and":
    case "or":
      return `${set.kind}(${set.sets.map(textOf).join("|")})`;
  }
}

/**
 * Gives the sets of ends that programs use their meaning over one inventory, and sorts the workload points into classes
 * that no set tells apart: what is true of one member is true of all.
 */
export class EndSets {
  readonly space: EndSpace;
  readonly classCount: number;
  readonly #classes: Int32Array; // of each workload point
  readonly #members: number[][]; // workload points of each class
  readonly #ids = new Map<EndSet, number>();
  readonly #resolved: ResolvedSet[];
  readonly #classSets: Bitset[]; // the same sets over classes
  readonly #index: WorkloadIndex;
  readonly #pointsByAtom: readonly { readonly atom: number; readonly number: number }[]; // ascending
  readonly #pointsByNumber: readonly number[][]; // of each workload

  /** @throws {SyntaxError} If a CIDR is not one. */
  constructor(inventory: Inventory, sets: Iterable<EndSet>, atUs: number | undefined) {
    const distinct: EndSet[] = [];
    const byText = new Map<string, number>();
    for (const set of sets) {
      if (this.#ids.has(set)) continue;
      const text = textOf(set);
      let id = byText.get(text);
      if (id === undefined) {
        id = distinct.push(set) - 1;
        byText.set(text, id);
      }
      this.#ids.set(set, id);
    }
    const cidrs = new Set<string>();
    for (const set of distinct) for (const cidr of cidrsIn(set)) cidrs.add(cidr);
    this.#index = new WorkloadIndex(inventory);
    this.space = new EndSpace(inventory, cidrs, atUs);
    this.#pointsByAtom = this.space.workloadPoints
      .map((point, number) => ({ atom: point.atom, number }))
      .filter((point) => point.atom >= 0)
      .sort((a, b) => a.atom - b.atom);
    this.#pointsByNumber = inventory.workloads.map(() => []);
    this.space.workloadPoints.forEach((point, number) => this.#pointsByNumber[point.number]!.push(number));
    this.#resolved = this.#resolveAll(distinct);
    this.#classes = this.#classify();
    this.#members = [];
    this.#classes.forEach((of, point) => {
      const members = this.#members[of];
      if (members === undefined) this.#members[of] = [point];
      else members.push(point);
    });
    this.classCount = this.#members.length;
    this.#classSets = this.#resolved.map(({ points }) => {
      const classes = new Bitset(this.classCount);
      points.forEach((point) => classes.add(this.#classes[point]!));
      return classes;
    });
  }

  /** Sets that are written differently and mean the same here get the same number. */
  #resolveAll(distinct: readonly EndSet[]): ResolvedSet[] {
    const resolved: ResolvedSet[] = [];
    const byMeaning = new Map<string, number>();
    const numbers = distinct.map((set) => {
      const meaning = this.#resolve(set);
      const key = `${meaning.points.words.join()};${meaning.atoms.join()}`;
      const number = byMeaning.get(key) ?? resolved.push(meaning) - 1;
      byMeaning.set(key, number);
      return number;
    });
    for (const [set, id] of this.#ids) this.#ids.set(set, numbers[id]!);
    return resolved;
  }

  #resolve(set: EndSet): ResolvedSet {
    const { space } = this;
    const size = space.workloadPoints.length;
    switch (set.kind) {
      case "all":
        return { points: Bitset.full(size), atoms: [0, space.atomCount] };
      case "selected":
        return { points: this.#pointsOf(this.#index.select(set.selector)), atoms: [] };
      case "listed": {
        const workloads = new Bitset(this.#pointsByNumber.length);
        for (const id of set.workloads) {
          const number = this.#index.numberOf(id);
          if (number !== undefined) workloads.add(number);
        }
        return { points: this.#pointsOf(workloads), atoms: [] };
      }
      case "addresses": {
        const atoms = uniteAtoms(set.cidrs.map((cidr) => space.atomsOfCidr(cidr)));
        const points = new Bitset(size);
        if (set.of === "anyone") this.#addPointsInside(points, atoms);
        return { points, atoms };
      }
      case "not": {
        const inner = this.#resolve(set.set);
        return { points: Bitset.full(size).minus(inner.points), atoms: complementAtoms(inner.atoms, space.atomCount) };
      }
      case "and":
        return set.sets
          .map((part) => this.#resolve(part))
          .reduce((a, b) => ({ points: a.points.and(b.points), atoms: intersectAtoms(a.atoms, b.atoms) }), {
            points: Bitset.full(size),
            atoms: [0, space.atomCount],
          });
      case "or": {
        const parts = set.sets.map((part) => this.#resolve(part));
        return {
          points: parts.reduce((all, part) => all.or(part.points), new Bitset(size)),
          atoms: uniteAtoms(parts.map((part) => part.atoms)),
        };
      }
    }
  }

  #pointsOf(workloads: Bitset): Bitset {
    const points = new Bitset(this.space.workloadPoints.length);
    workloads.forEach((number) => {
      for (const point of this.#pointsByNumber[number]!) points.add(point);
    });
    return points;
  }

  #addPointsInside(points: Bitset, atoms: AtomRanges): void {
    for (let i = 0; i < atoms.length; i += 2) {
      let low = 0;
      let high = this.#pointsByAtom.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.#pointsByAtom[middle]!.atom < atoms[i]!) low = middle + 1;
        else high = middle;
      }
      for (; low < this.#pointsByAtom.length && this.#pointsByAtom[low]!.atom < atoms[i + 1]!; low++) {
        points.add(this.#pointsByAtom[low]!.number);
      }
    }
  }

  /** Refines by one set after the other: a class splits into its members inside and outside of the set. */
  #classify(): Int32Array {
    const { workloadPoints } = this.space;
    const classes = Int32Array.from(workloadPoints, (_, point) => this.space.familyOf(point));
    let next = 7;
    const size = workloadPoints.length;
    for (const { points } of this.#resolved) {
      const inside = new Map<number, number>();
      points.forEach((point) => {
        const old = classes[point]!;
        const split = inside.get(old) ?? next++;
        inside.set(old, split);
        classes[point] = split;
      });
    }
    const dense = new Map<number, number>();
    for (let point = 0; point < size; point++) {
      const of = dense.get(classes[point]!) ?? dense.size;
      dense.set(classes[point]!, of);
      classes[point] = of;
    }
    return classes;
  }

  /** The number of a set that was given to the constructor. */
  idOf(set: EndSet): number {
    return this.#ids.get(set)!;
  }

  classOf(point: number): number {
    return this.#classes[point]!;
  }

  membersOf(classNumber: number): readonly number[] {
    return this.#members[classNumber]!;
  }

  /** The classes inside a set. */
  classesIn(id: number): Bitset {
    return this.#classSets[id]!;
  }

  /** The atoms inside a set. */
  atomsIn(id: number): AtomRanges {
    return this.#resolved[id]!.atoms;
  }

  contains(id: number, point: number): boolean {
    const { points, atoms } = this.#resolved[id]!;
    const atom = point - this.space.workloadPoints.length;
    return atom < 0 ? points.has(point) : hasAtom(atoms, atom);
  }
}
