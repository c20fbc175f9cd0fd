import type { EndSets } from "./end-sets.js";
import type { Closure, Entry, Stage } from "./program.js";
import {
  ALL_SERVICES,
  intersectIntervals,
  mergeIntervals,
  type ServiceInterval,
  subtractIntervals,
} from "./service-line.js";
import type { VerdictMaps } from "./verdict-map.js";

/** An entry with its place in the order of asking: by stage, then by rank. */
export interface OrderedEntry {
  readonly order: number;
  readonly stage: number;
  readonly entry: Entry;
  readonly peers: number; // id of the set
  readonly services: number; // the verdict map that denies just these
}

/** Words of a signature that are no pairs of peers and services; pairs are never negative. */
const OPEN = -1;
const CLOSED = -2;
const ACTIONS = { allow: -3, deny: -4, pass: -5 } as const;

const MOST_MAPS = 2 ** 26;

/** Stages that are asked one after the other, indexed by the classes of subjects that they govern. */
export class StageList {
  readonly #entries: readonly OrderedEntry[][]; // by class, in order
  readonly #closures: readonly Closure[][][]; // by stage and class
  readonly #maps: VerdictMaps;

  constructor(
    readonly stages: readonly Stage[],
    sets: EndSets,
    maps: VerdictMaps,
  ) {
    this.#maps = maps;
    const bySubjects = new Map<number, OrderedEntry[]>();
    let order = 0;
    stages.forEach((stage, number) => {
      const ranked = [...stage.entries].sort((a, b) => a.rank - b.rank);
      for (const entry of ranked) {
        const services = maps.of(mergeIntervals(entry.services.intervals), []);
        const ordered = { order: order++, stage: number, entry, peers: sets.idOf(entry.peers), services };
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

  /**
   * What a class of subjects meets, as numbers. Lists that say the same to it have the same, in whatever order they say it
   * and however they divide the services between them; only different divisions of the peers may have another.
   */
  signatureOf(subjectClass: number): readonly number[] {
    const entries = this.#entries[subjectClass]!;
    const signature: number[] = [];
    let next = 0;
    for (let stage = 0; stage < this.stages.length; stage++) {
      signature.push(this.closuresOf(stage, subjectClass).length > 0 ? CLOSED : OPEN);
      while (entries[next]?.stage === stage) {
        const { rank, action } = entries[next]!.entry;
        const begin = next;
        while (entries[next]?.stage === stage && entries[next]!.entry.rank === rank) next++;
        signature.push(ACTIONS[action]);
        for (const pair of this.#pairsOf(entries, begin, next)) signature.push(pair);
      }
    }
    return signature;
  }

  /** Each set of peers with the number of all services that entries of one rank speak with it; ascending. */
  #pairsOf(entries: readonly OrderedEntry[], begin: number, end: number): Float64Array {
    const pairs = new Float64Array(end - begin);
    for (let i = begin; i < end; i++) pairs[i - begin] = entries[i]!.peers * MOST_MAPS + entries[i]!.services;
    pairs.sort();
    let isTwice = false;
    for (let i = 1; i < pairs.length && !isTwice; i++) {
      isTwice = Math.floor(pairs[i]! / MOST_MAPS) === Math.floor(pairs[i - 1]! / MOST_MAPS);
    }
    if (!isTwice) return pairs;
    const byPeers = new Map<number, OrderedEntry[]>();
    for (const entry of entries.slice(begin, end)) {
      const others = byPeers.get(entry.peers);
      if (others === undefined) byPeers.set(entry.peers, [entry]);
      else others.push(entry);
    }
    return Float64Array.from(byPeers, ([peers, alike]) => peers * MOST_MAPS + this.#servicesOf(alike)).sort();
  }

  /** The number of all services of some entries together. */
  #servicesOf(entries: readonly OrderedEntry[]): number {
    if (entries.length === 1) return entries[0]!.services;
    return this.#maps.of(mergeIntervals(entries.flatMap(({ entry }) => entry.services.intervals)), []);
  }

  /** What `deniedTo` depends on, as text. */
  keyOf(subjectClass: number, entries: readonly OrderedEntry[]): string {
    let key = "";
    for (let stage = 0; stage < this.stages.length; stage++) {
      key += this.closuresOf(stage, subjectClass).length > 0 ? "c" : "o";
    }
    for (const { stage, entry, services } of entries) key += ` ${stage}.${entry.rank}${entry.action[0]}${services}`;
    return key;
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
