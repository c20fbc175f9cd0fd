import type { EndSets } from "./end-sets.js";
import type { Closure, Entry, Stage } from "./program.js";
import {
  ALL_SERVICES,
  intersectIntervals,
  mergeIntervals,
  type ServiceInterval,
  subtractIntervals,
} from "./service-line.js";

/** An entry with its place in the order of asking: by stage, then by rank. */
export interface OrderedEntry {
  readonly order: number;
  readonly stage: number;
  readonly entry: Entry;
  readonly peers: number; // id of the set
}

/** Stages that are asked one after the other, indexed by the classes of subjects that they govern. */
export class StageList {
  readonly #entries: readonly OrderedEntry[][]; // by class, in order
  readonly #closures: readonly Closure[][][]; // by stage and class

  constructor(
    readonly stages: readonly Stage[],
    sets: EndSets,
  ) {
    const bySubjects = new Map<number, OrderedEntry[]>();
    let order = 0;
    stages.forEach((stage, number) => {
      const ranked = [...stage.entries].sort((a, b) => a.rank - b.rank);
      for (const entry of ranked) {
        const ordered = { order: order++, stage: number, entry, peers: sets.idOf(entry.peers) };
        const subjects = sets.idOf(entry.subjects);
        const others = bySubjects.get(subjects);
        if (others === undefined) bySubjects.set(subjects, [ordered]);
        else others.push(ordered);
      }
    });
    const entries = Array.from({ length: sets.classCount }, (): OrderedEntry[] => []);
    for (const [subjects, members] of bySubjects) {
      sets.classesIn(subjects).forEach((of) => {
        for (const member of members) entries[of]!.push(member);
      });
    }
    for (const list of entries) list.sort((a, b) => a.order - b.order);
    this.#entries = entries;
    this.#closures = stages.map((stage) => {
      const closures = Array.from({ length: sets.classCount }, (): Closure[] => []);
      for (const closure of stage.closures) {
        sets.classesIn(sets.idOf(closure.subjects)).forEach((of) => closures[of]!.push(closure));
      }
      return closures;
    });
  }

  /** The entries that govern a class of subjects, in the order of asking. */
  entriesOf(subjectClass: number): readonly OrderedEntry[] {
    return this.#entries[subjectClass]!;
  }

  /** What closes a class of subjects in a stage; empty when the stage passes on what it did not match. */
  closuresOf(stage: number, subjectClass: number): readonly Closure[] {
    return this.#closures[stage]![subjectClass]!;
  }

  /** The services denied to a class of subjects where `entries`, in order, are all that match the peer. */
  deniedTo(subjectClass: number, entries: readonly OrderedEntry[]): readonly ServiceInterval[] {
    const denied: ServiceInterval[] = [];
    let asked: readonly ServiceInterval[] = [ALL_SERVICES];
    let next = 0;
    for (let stage = 0; stage < this.stages.length; stage++) {
      const passed: ServiceInterval[] = [];
      let unmatched = asked;
      while (entries[next]?.stage === stage) {
        const { rank, action } = entries[next]!.entry;
        let services = entries[next]!.entry.services.intervals;
        for (next++; entries[next]?.stage === stage && entries[next]!.entry.rank === rank; next++) {
          services = services.concat(entries[next]!.entry.services.intervals);
        }
        services = mergeIntervals(services);
        if (action === "deny") denied.push(...intersectIntervals(unmatched, services));
        if (action === "pass") passed.push(...intersectIntervals(unmatched, services));
        unmatched = subtractIntervals(unmatched, services);
      }
      const isClosed = this.closuresOf(stage, subjectClass).length > 0;
      for (const interval of unmatched) (isClosed ? denied : passed).push(interval);
      asked = mergeIntervals(passed);
    }
    return mergeIntervals(denied);
  }
}
