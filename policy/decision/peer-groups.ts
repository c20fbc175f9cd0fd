import type { EndSets } from "./end-sets.js";

/**
 * The groups into which some peer sets divide all peers: who is in the same sets is in the same group. A group is named
 * by a number, 0 for those in none of the sets.
 */
export interface PeerGroups {
  readonly workloads: Int32Array; // group of each class
  readonly atomStarts: readonly number[]; // ascending, the first is 0
  readonly atoms: readonly number[]; // group of the atoms from atomStarts[i] on
  setsOf(group: number): readonly number[]; // descending
}

/** Ascending lists of sets, each kept once: a group is its largest set and the group of the others. */
class GroupTree {
  readonly #children = new Map<number, number>();
  readonly #parents: number[] = [0];
  readonly #largest: number[] = [-1];

  child(parent: number, set: number): number {
    const key = parent * 2 ** 26 + set;
    let child = this.#children.get(key);
    if (child === undefined) {
      child = this.#parents.push(parent) - 1;
      this.#largest.push(set);
      this.#children.set(key, child);
    }
    return child;
  }

  setsOf(group: number): number[] {
    const sets: number[] = [];
    for (let at = group; at !== 0; at = this.#parents[at]!) sets.push(this.#largest[at]!);
    return sets;
  }
}

export function groupPeers(sets: EndSets, peerSets: readonly number[]): PeerGroups {
  const tree = new GroupTree();
  const ascending = [...peerSets].sort((a, b) => a - b);
  const workloads = new Int32Array(sets.classCount);
  for (const set of ascending) {
    sets.classesIn(set).forEach((peer) => {
      workloads[peer] = tree.child(workloads[peer]!, set);
    });
  }
  const { starts, groups } = sweepAtoms(sets, ascending, tree);
  return { workloads, atomStarts: starts, atoms: groups, setsOf: (group) => tree.setsOf(group) };
}

/** Walks the address line once, from each place where a set begins or ends to the next. */
function sweepAtoms(
  sets: EndSets,
  peerSets: readonly number[],
  tree: GroupTree,
): { readonly starts: readonly number[]; readonly groups: readonly number[] } {
  const borders: { readonly atom: number; readonly set: number; readonly isStart: boolean }[] = [];
  for (const set of peerSets) {
    sets.atomsIn(set).forEach((atom, i) => borders.push({ atom, set, isStart: i % 2 === 0 }));
  }
  borders.sort((a, b) => a.atom - b.atom);
  const { atomCount } = sets.space;
  const around = new Set<number>();
  const starts: number[] = [];
  const groups: number[] = [];
  let next = 0;
  for (let atom = 0; atom < atomCount; atom = borders[next]?.atom ?? atomCount) {
    for (; next < borders.length && borders[next]!.atom === atom; next++) {
      const { set, isStart } = borders[next]!;
      if (isStart) around.add(set);
      else around.delete(set);
    }
    starts.push(atom);
    groups.push([...around].sort((a, b) => a - b).reduce((group, set) => tree.child(group, set), 0));
  }
  return { starts, groups };
}
