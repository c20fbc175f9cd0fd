import type { EndSets } from "./end-sets.js";
import { groupPeers } from "./peer-groups.js";
import type { DirectionProgram } from "./program.js";
import { type OrderedEntry, StageList } from "./stage-list.js";
import type { VerdictMaps } from "./verdict-map.js";

/** What one class of subjects meets: a verdict map for every class of workloads and every atom as peer. */
export interface Row {
  readonly workloads: Int32Array; // verdict map by class
  readonly atomStarts: Int32Array; // ascending, the first is 0
  readonly atoms: Int32Array; // verdict map from atomStarts[i] on
}

/**
 * One direction of a program, ready for questions. A row is made when a class of subjects is first asked about: the
 * entries that govern it are few, so its peers fall into few groups, and each group needs one pass over its entries'
 * services. From then on an answer is a look-up, however many rules there are.
 */
export class DirectionTable {
  readonly enforced: StageList;
  readonly trial: StageList;
  readonly #rows: (Row | undefined)[];
  readonly #mapsByKey = new Map<string, number>();

  constructor(
    program: DirectionProgram,
    readonly sets: EndSets,
    readonly maps: VerdictMaps,
  ) {
    this.enforced = new StageList(program.enforced, sets, maps);
    this.trial = new StageList(program.trial, sets, maps);
    this.#rows = new Array<Row | undefined>(sets.classCount);
  }

  /** The verdicts for all services at a workload point `subject` for traffic with `peer`, any point. */
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

  /** Whether a class of subjects evidently meets the same in both, without making their rows. */
  isAlike(other: DirectionTable, subjectClass: number): boolean {
    return (
      isSame(this.enforced.signatureOf(subjectClass), other.enforced.signatureOf(subjectClass)) &&
      isSame(this.trial.signatureOf(subjectClass), other.trial.signatureOf(subjectClass))
    );
  }

  /** The verdict map where these entries match; remembered, since few combinations come up again and again. */
  #mapOf(subjectClass: number, enforced: readonly OrderedEntry[], trial: readonly OrderedEntry[]): number {
    const key = `${this.enforced.keyOf(subjectClass, enforced)};${this.trial.keyOf(subjectClass, trial)}`;
    let map = this.#mapsByKey.get(key);
    if (map === undefined) {
      map = this.maps.of(this.enforced.deniedTo(subjectClass, enforced), this.trial.deniedTo(subjectClass, trial));
      this.#mapsByKey.set(key, map);
    }
    return map;
  }

  #makeRow(subjectClass: number): Row {
    const enforced = entriesByPeers(this.enforced.entriesOf(subjectClass));
    const trial = entriesByPeers(this.trial.entriesOf(subjectClass));
    const groups = groupPeers(this.sets, [...new Set([...enforced.keys(), ...trial.keys()])]);
    const mapOfGroup: number[] = [];
    const mapOf = (group: number): number => {
      const known = mapOfGroup[group];
      if (known !== undefined) return known;
      const peerSets = groups.setsOf(group);
      const map = this.#mapOf(subjectClass, entriesWith(peerSets, enforced), entriesWith(peerSets, trial));
      mapOfGroup[group] = map;
      return map;
    };
    const atomStarts: number[] = [];
    const atoms: number[] = [];
    groups.atomStarts.forEach((start, i) => {
      const map = mapOf(groups.atoms[i]!);
      if (atoms.at(-1) === map) return;
      atomStarts.push(start);
      atoms.push(map);
    });
    return {
      workloads: groups.workloads.map(mapOf),
      atomStarts: Int32Array.from(atomStarts),
      atoms: Int32Array.from(atoms),
    };
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

type EntriesByPeers = ReadonlyMap<number, readonly OrderedEntry[]>;

function entriesByPeers(entries: readonly OrderedEntry[]): EntriesByPeers {
  const byPeers = new Map<number, OrderedEntry[]>();
  for (const entry of entries) {
    const others = byPeers.get(entry.peers);
    if (others === undefined) byPeers.set(entry.peers, [entry]);
    else others.push(entry);
  }
  return byPeers;
}

/** The entries whose peers are one of the sets, in the order of asking. */
function entriesWith(peerSets: readonly number[], byPeers: EntriesByPeers): readonly OrderedEntry[] {
  if (peerSets.length === 1) return byPeers.get(peerSets[0]!) ?? [];
  const entries: OrderedEntry[] = [];
  for (const set of peerSets) entries.push(...(byPeers.get(set) ?? []));
  return entries.sort((a, b) => a.order - b.order);
}
