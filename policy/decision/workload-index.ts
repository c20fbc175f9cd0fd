import type { LabelRequirement, LabelSelector, Labels } from "../../model/label-selector.js";
import { type Inventory, namespaceLabels } from "../../model/workload.js";
import type { WorkloadSelector } from "../peer.js";
import { Bitset } from "./bitset.js";

/** For each label key, which members have which value. */
type LabelIndex = Map<string, Map<string, Bitset>>;

/** The value of `key`, made by `make` when it is asked for the first time. */
function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function addLabels(index: LabelIndex, labels: Labels, member: number, size: number): void {
  for (const [key, value] of Object.entries(labels)) {
    const values = obtain(index, key, () => new Map<string, Bitset>());
    obtain(values, value, () => new Bitset(size)).add(member);
  }
}

/**
 * Answers label queries over an inventory by set algebra, one bit per workload, instead of matching every workload
 * against every selector. Workloads are numbered in the order of the inventory.
 */
export class WorkloadIndex {
  readonly #size: number;
  readonly #everyone: Bitset;
  readonly #labels: LabelIndex = new Map();
  readonly #namespaceLabels: LabelIndex = new Map();
  readonly #serviceAccounts = new Map<string, Bitset>();
  readonly #numbers = new Map<string, number>();

  constructor(readonly inventory: Inventory) {
    const { workloads } = inventory;
    this.#size = workloads.length;
    this.#everyone = Bitset.full(this.#size);
    const ofNamespace = new Map<string, Labels>();
    workloads.forEach((workload, number) => {
      const { id, namespace, labels, serviceAccount } = workload;
      this.#numbers.set(id, number);
      addLabels(this.#labels, labels, number, this.#size);
      const surrounding = obtain(ofNamespace, namespace, () => namespaceLabels(inventory, namespace));
      addLabels(this.#namespaceLabels, surrounding, number, this.#size);
      if (serviceAccount === undefined) return;
      obtain(this.#serviceAccounts, `${namespace}/${serviceAccount}`, () => new Bitset(this.#size)).add(number);
    });
  }

  numberOf(id: string): number | undefined {
    return this.#numbers.get(id);
  }

  select(selector: WorkloadSelector): Bitset {
    let selected = this.#query(this.#namespaceLabels, selector.namespaces).and(
      this.#query(this.#labels, selector.labels),
    );
    if (selector.serviceAccounts.length > 0) {
      let accounts = new Bitset(this.#size);
      for (const name of selector.serviceAccounts) {
        const members = this.#serviceAccounts.get(name);
        if (members !== undefined) accounts = accounts.or(members);
      }
      selected = selected.and(accounts);
    }
    return selected;
  }

  #query(index: LabelIndex, selector: LabelSelector): Bitset {
    let selected = this.#everyone;
    for (const requirement of selector.requirements) selected = selected.and(this.#meeting(index, requirement));
    return selected;
  }

  #meeting(index: LabelIndex, requirement: LabelRequirement): Bitset {
    const values = index.get(requirement.key) ?? new Map<string, Bitset>();
    const union = (sets: Iterable<Bitset | undefined>) => {
      let all = new Bitset(this.#size);
      for (const set of sets) if (set !== undefined) all = all.or(set);
      return all;
    };
    switch (requirement.operator) {
      case "In":
        return union(requirement.values.map((value) => values.get(value)));
      case "NotIn":
        return this.#everyone.minus(union(requirement.values.map((value) => values.get(value))));
      case "Exists":
        return union(values.values());
      case "DoesNotExist":
        return this.#everyone.minus(union(values.values()));
    }
  }
}
