import type { EndSets } from "./end-sets.js";
import type { Closure, DirectionProgram, Entry, Stage } from "./program.js";
import { intersectIntervals, mergeIntervals, type ServiceInterval, subtractIntervals } from "./service-line.js";
import { codeAt, type VerdictCode, type VerdictMaps } from "./verdict-map.js";

/** What one class of subjects meets: a verdict map for every class of workloads and every atom as peer. */
export interface Row {
  readonly workloads: Int32Array; // verdict map by class
  readonly atomStarts: Int32Array; // ascending, the first is 0
  readonly atoms: Int32Array; // verdict map from atomStarts[i] on
}

/** The entries of one stage that may match a class of subjects. */
export interface ClassStage {
  readonly entries: readonly Entry[]; // ascending by rank
  readonly closures: readonly Closure[];
}

/**
 * One direction of a program, ready for questions. Rows are made when a class of subjects is first asked about: its
 * entries are few, so its peers fall into few groups, and each group needs one sweep over the service line. From then
 * on a verdict is two table look-ups and a binary search, however many rules there are.
 */
export class DirectionTable {
  readonly #enforced: StageIndex[];
  readonly #trial: StageIndex[];
  readonly #rows: (Row | undefined)[];

  constructor(
    readonly program: DirectionProgram,
    readonly sets: EndSets,
    readonly maps: VerdictMaps,
  ) {
    this.#enforced = program.enforced.map((stage) => new StageIndex(stage, sets));
    this.#trial = program.trial.map((stage) => new StageIndex(stage, sets));
    this.#rows = new Array<Row | undefined>(sets.classCount);
  }

  /** The verdict at a workload point `subject` for traffic with `peer`, a workload point or an atom. */
  codeAt(subject: number, peer: number, service: number): VerdictCode {
    return codeAt(this.maps.get(this.mapAt(subject, peer)), service);
  }

  /** The verdicts for all services between `subject` and `peer`. */
  mapAt(subject: number, peer: number): number {
    const row = this.row(this.sets.classOf(subject));
    const atom = peer - this.sets.space.workloadPoints.length;
    if (atom < 0) return row.workloads[this.sets.classOf(peer)]!;
    const starts = row.atomStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= atom) low = middle;
      else high = middle - 1;
    }
    return row.atoms[low]!;
  }

  row(subjectClass: number): Row {
    let row = this.#rows[subjectClass];
    if (row === undefined) {
      row = this.#makeRow(subjectClass);
      this.#rows[subjectClass] = row;
    }
    return row;
  }

  /** The stages as a subject meets them: only what selects it, entries by rank. For explanations. */
  stagesOf(subject: number): readonly { readonly stage: Stage; readonly part: ClassStage }[] {
    const of = this.sets.classOf(subject);
    return this.#enforced.map((index) => ({ stage: index.stage, part: index.of(of) }));
  }

  trialStagesOf(subject: number): readonly { readonly stage: Stage; readonly part: ClassStage }[] {
    const of = this.sets.classOf(subject);
    return this.#trial.map((index) => ({ stage: index.stage, part: index.of(of) }));
  }

  #makeRow(subjectClass: number): Row {
    const { sets, maps } = this;
    const enforced = this.#enforced.map((index) => index.of(subjectClass));
    const trial = this.#trial.map((index) => index.of(subjectClass));
    const peerSets = [
      ...new Set([...enforced, ...trial].flatMap((part) => part.entries.map((e) => sets.idOf(e.peers)))),
    ];
    peerSets.sort((a, b) => a - b);

    // A group of peers is named by the peer sets around it, as a path in a tree: child = (parent, set).
    const paths = new PathTree();
    const mapOfPath = new Map<number, number>();
    const mapOf = (path: number): number => {
      let map = mapOfPath.get(path);
      if (map === undefined) {
        const around = new Set(paths.setsOf(path));
        const matching = (part: ClassStage): ClassStage => ({
          entries: part.entries.filter((entry) => around.has(sets.idOf(entry.peers))),
          closures: part.closures,
        });
        map = maps.of(deniedBy(enforced.map(matching)), deniedBy(trial.map(matching)));
        mapOfPath.set(path, map);
      }
      return map;
    };

    const workloadPaths = new Int32Array(sets.classCount);
    for (const set of peerSets) {
      sets.classesIn(set).forEach((peer) => {
        workloadPaths[peer] = paths.child(workloadPaths[peer]!, set);
      });
    }
    const { starts, groups } = sweepAtoms(peerSets, sets, paths);
    const atomStarts: number[] = [];
    const atoms: number[] = [];
    starts.forEach((start, i) => {
      const map = mapOf(groups[i]!);
      if (atoms.at(-1) === map) return;
      atomStarts.push(start);
      atoms.push(map);
    });
    return {
      workloads: workloadPaths.map(mapOf),
      atomStarts: Int32Array.from(atomStarts),
      atoms: Int32Array.from(atoms),
    };
  }
}

/** Finds the entries and closures of a stage that select a class of subjects. */
class StageIndex {
  readonly #entriesBySubjects = new Map<number, Entry[]>();
  readonly #closuresBySubjects = new Map<number, Closure[]>();

  constructor(
    readonly stage: Stage,
    readonly sets: EndSets,
  ) {
    for (const entry of stage.entries) push(this.#entriesBySubjects, sets.idOf(entry.subjects), entry);
    for (const closure of stage.closures) push(this.#closuresBySubjects, sets.idOf(closure.subjects), closure);
  }

  of(subjectClass: number): ClassStage {
    const selecting = <T>(index: Map<number, T[]>) =>
      [...index].filter(([set]) => this.sets.classesIn(set).has(subjectClass)).flatMap(([, members]) => members);
    return {
      entries: selecting(this.#entriesBySubjects).sort((a, b) => a.rank - b.rank),
      closures: selecting(this.#closuresBySubjects),
    };
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** Ascending lists of numbers, each stored once and named by a number; 0 is the empty list. */
class PathTree {
  readonly #children = new Map<number, number>();
  readonly #parents: number[] = [0];
  readonly #last: number[] = [-1];

  child(parent: number, set: number): number {
    const key = parent * 2 ** 24 + set;
    let child = this.#children.get(key);
    if (child === undefined) {
      child = this.#parents.push(parent) - 1;
      this.#last.push(set);
      this.#children.set(key, child);
    }
    return child;
  }

  setsOf(path: number): number[] {
    const sets: number[] = [];
    for (let at = path; at !== 0; at = this.#parents[at]!) sets.push(this.#last[at]!);
    return sets;
  }
}

/** Walks the address line once: from each start on, the peer sets around the atoms are those of its group. */
function sweepAtoms(
  peerSets: readonly number[],
  sets: EndSets,
  paths: PathTree,
): { readonly starts: readonly number[]; readonly groups: readonly number[] } {
  const events: { readonly atom: number; readonly set: number; readonly isStart: boolean }[] = [];
  for (const set of peerSets) {
    const ranges = sets.atomsIn(set);
    ranges.forEach((atom, i) => events.push({ atom, set, isStart: i % 2 === 0 }));
  }
  events.sort((a, b) => a.atom - b.atom);
  const active = new Set<number>();
  const starts: number[] = [];
  const groups: number[] = [];
  let next = 0;
  for (let atom = 0; atom < sets.space.atomCount; atom = events[next]?.atom ?? sets.space.atomCount) {
    for (; next < events.length && events[next]!.atom === atom; next++) {
      const event = events[next]!;
      if (event.isStart) active.add(event.set);
      else active.delete(event.set);
    }
    starts.push(atom);
    groups.push([...active].sort((a, b) => a - b).reduce((path, set) => paths.child(path, set), 0));
  }
  return { starts, groups };
}

/** The services that a list of stages denies, where all given entries match both ends. */
function deniedBy(stages: readonly ClassStage[]): readonly ServiceInterval[] {
  let asked: readonly ServiceInterval[] = [{ first: 0, last: (1 << 24) - 1 }];
  const denied: ServiceInterval[] = [];
  for (const { entries, closures } of stages) {
    const passed: ServiceInterval[] = [];
    let unmatched = asked;
    for (let i = 0; i < entries.length && unmatched.length > 0; ) {
      const { rank, action } = entries[i]!;
      const spoken: ServiceInterval[] = [];
      for (; i < entries.length && entries[i]!.rank === rank; i++) spoken.push(...entries[i]!.services.intervals);
      const services = mergeIntervals(spoken);
      const hit = intersectIntervals(unmatched, services);
      if (action === "deny") denied.push(...hit);
      if (action === "pass") passed.push(...hit);
      unmatched = subtractIntervals(unmatched, services);
    }
    if (closures.length > 0) denied.push(...unmatched);
    else passed.push(...unmatched);
    asked = mergeIntervals(passed);
  }
  return mergeIntervals(denied);
}
