import { formatAddress } from "../../model/address.js";
import type { Labels } from "../../model/label-selector.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";

/** A cluster that answers questions about groups of pods: those of one controller count as one, as in the lists. */
export class Town {
  readonly groups = new Map<string, readonly string[]>(); // workload ids by "namespace/name"

  constructor(
    readonly policy: CompiledPolicy,
    byName: ReadonlyMap<string, readonly { readonly id: string; readonly name: string; readonly namespace: string }[]>,
  ) {
    const owned = new Set<string>();
    for (const [key, members] of byName) {
      for (const { id, name, namespace } of members) if (key !== `${namespace}/${name}`) owned.add(id);
    }
    for (const [key, members] of byName) {
      const shown = members.filter(({ id, name, namespace }) => key !== `${namespace}/${name}` || !owned.has(id));
      if (shown.length > 0)
        this.groups.set(
          key,
          shown.map(({ id }) => id),
        );
    }
  }

  get names(): string[] {
    return [...this.groups.keys()].sort();
  }

  labelsOf(name: string): Labels {
    return this.policy.sets.space.workloadPoints[this.pointOf(name)]!.workload.labels;
  }

  pointOf(name: string): number {
    const member = this.groups.get(name)?.[0];
    if (member === undefined) throw new RangeError(`Cannot find "${name}"`);
    return this.policy.pointOfWorkload(member);
  }

  /** IPv4 addresses that stand for all that the policy tells apart. */
  outsiders(): string[] {
    const { space } = this.policy.sets;
    const addresses: string[] = [];
    for (let atom = 0; atom < space.atomCount; atom++) {
      const address = space.addressOfAtom(atom);
      if (address.family === 4 && space.isOutsider(atom)) addresses.push(formatAddress(address));
    }
    return addresses;
  }
}
