import {
  EVERYTHING,
  type LabelRequirement,
  type LabelSelector,
  matchesLabels,
  meetsRequirement,
} from "../../model/label-selector.js";
import { type Inventory, namespaceLabels, type Workload } from "../../model/workload.js";
import type { WorkloadSelector } from "../../policy/peer.js";
import { selectorRank } from "./stable-labels.js";

const NAMESPACE_KEY = "kubernetes.io/metadata.name";
/** A requirement may list so many values; what is not wanted is listed only if it is short. */
const VALUES_LIMIT = { In: 100, NotIn: 8 } as const;

/** Finds queries over labels for given sets of workloads. Every answer was evaluated against the inventory. */
export interface SelectorSearch {
  /** A selector that matches exactly `ids`, or `undefined` if stable labels cannot tell them from the others. */
  exact(ids: ReadonlySet<string>): WorkloadSelector | undefined;
  /** The tightest selector that matches at least `ids`, and all that it matches, sorted. */
  closest(ids: ReadonlySet<string>): { readonly selector: WorkloadSelector; readonly matched: readonly string[] };
}

interface Candidate {
  readonly requirement: LabelRequirement;
  readonly rank: number;
}

/** Requirements that all of `wanted` meet: values they have, best key first, then what they do not have. */
function candidatesFor(wanted: readonly Workload[], outsiders: readonly Workload[]): Candidate[] {
  const first = wanted[0] as Workload;
  const candidates: Candidate[] = [];
  for (const key of Object.keys(first.labels)) {
    const rank = selectorRank(key);
    if (rank === undefined || !wanted.every(({ labels }) => Object.hasOwn(labels, key))) continue;
    const values = [...new Set(wanted.map(({ labels }) => labels[key] as string))].sort();
    if (values.length <= VALUES_LIMIT.In) {
      candidates.push({ requirement: { key, operator: "In", values }, rank: rank + (values.length > 1 ? 60 : 0) });
    }
  }
  const foreign = new Map<string, Set<string>>();
  for (const { labels } of outsiders) {
    for (const [key, value] of Object.entries(labels)) {
      if (selectorRank(key) !== undefined) foreign.set(key, (foreign.get(key) ?? new Set()).add(value));
    }
  }
  for (const [key, values] of foreign) {
    const rank = selectorRank(key) as number;
    const own = new Set(wanted.flatMap(({ labels }) => labels[key] ?? []));
    if (own.size === 0) candidates.push({ requirement: { key, operator: "DoesNotExist" }, rank: rank + 100 });
    const others = [...values].filter((value) => !own.has(value)).sort();
    if (others.length > 0 && others.length <= VALUES_LIMIT.NotIn) {
      candidates.push({ requirement: { key, operator: "NotIn", values: others }, rank: rank + 200 });
    }
  }
  return candidates.sort((a, b) => a.rank - b.rank || (a.requirement.key < b.requirement.key ? -1 : 1));
}

/** Greedy set cover over the outsiders, then without what turned out to be superfluous. */
function cover(candidates: readonly Candidate[], outsiders: readonly Workload[]): Candidate[] {
  const chosen: Candidate[] = [];
  let left = outsiders;
  while (left.length > 0) {
    let best: Candidate | undefined;
    let bestLeft = left;
    for (const candidate of candidates) {
      const remaining = left.filter(({ labels }) => meetsRequirement(labels, candidate.requirement));
      if (remaining.length < bestLeft.length) [best, bestLeft] = [candidate, remaining];
    }
    if (best === undefined) break;
    chosen.push(best);
    left = bestLeft;
  }
  for (const candidate of [...chosen].reverse()) {
    const rest = chosen.filter((other) => other !== candidate);
    const isExcluded = (labels: Workload["labels"]) =>
      rest.some(({ requirement }) => !meetsRequirement(labels, requirement));
    const stillOut = outsiders.filter(({ labels }) => isExcluded(labels)).length;
    if (stillOut === outsiders.length - left.length) chosen.splice(chosen.indexOf(candidate), 1);
  }
  return chosen;
}

function toSelector(namespaces: readonly string[] | "all", chosen: readonly Candidate[]): WorkloadSelector {
  const requirements = chosen
    .map(({ requirement }) => requirement)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const named: LabelSelector =
    namespaces === "all" ? EVERYTHING : { requirements: [{ key: NAMESPACE_KEY, operator: "In", values: namespaces }] };
  return { namespaces: named, labels: { requirements }, serviceAccounts: [] };
}

export function selectorSearch(inventory: Inventory): SelectorSearch {
  const byId = new Map(inventory.workloads.map((workload) => [workload.id, workload]));
  const byNamespace = new Map<string, Workload[]>();
  for (const workload of inventory.workloads) {
    const list = byNamespace.get(workload.namespace);
    if (list === undefined) byNamespace.set(workload.namespace, [workload]);
    else list.push(workload);
  }
  const matched = (selector: WorkloadSelector): string[] => {
    const ids: string[] = [];
    for (const [namespace, workloads] of byNamespace) {
      if (!matchesLabels(selector.namespaces, namespaceLabels(inventory, namespace))) continue;
      for (const { id, labels } of workloads) if (matchesLabels(selector.labels, labels)) ids.push(id);
    }
    return ids.sort();
  };
  // Where nobody has a label there is nothing to choose, and networks without labels ask often.
  const labelled = new Set(
    inventory.workloads.flatMap(({ namespace, labels }) =>
      Object.keys(labels).some((key) => selectorRank(key) !== undefined) ? namespace : [],
    ),
  );
  const whole = new Map<string, { selector: WorkloadSelector; matched: string[] }>();
  const wholeNamespaces = (namespaces: readonly string[]) => {
    const key = JSON.stringify(namespaces);
    const selector = toSelector(namespaces, []);
    const found = whole.get(key) ?? { selector, matched: matched(selector) };
    whole.set(key, found);
    return found;
  };
  const closest = (ids: ReadonlySet<string>) => {
    const wanted = [...ids].sort().flatMap((id) => byId.get(id) ?? []);
    if (wanted.length === 0) return { selector: toSelector([], []), matched: [] };
    const namespaces = [...new Set(wanted.map(({ namespace }) => namespace))].sort();
    if (!namespaces.some((name) => labelled.has(name))) return wholeNamespaces(namespaces);
    const outsiders = namespaces.flatMap((name) => byNamespace.get(name) ?? []).filter(({ id }) => !ids.has(id));
    const candidates = candidatesFor(wanted, outsiders);
    const positive = candidates.filter(({ requirement, rank }) => requirement.operator === "In" && rank < 60);
    const separates = (chosen: readonly Candidate[]) =>
      !outsiders.some(({ labels }) => chosen.every(({ requirement }) => meetsRequirement(labels, requirement)));
    // The shortest conjunction of what they have; only then what tells them apart by lists and absences. One label is
    // kept even where the namespace alone would do, so that tomorrow's stranger in it is not meant as well.
    const single = positive.find((candidate) => separates([candidate]));
    if (single !== undefined)
      return { selector: toSelector(namespaces, [single]), matched: matched(toSelector(namespaces, [single])) };
    for (let i = 0; i < positive.length; i++) {
      for (let j = i + 1; j < positive.length; j++) {
        const pair = [positive[i] as Candidate, positive[j] as Candidate];
        if (separates(pair))
          return { selector: toSelector(namespaces, pair), matched: matched(toSelector(namespaces, pair)) };
      }
    }
    const selector = toSelector(namespaces, cover(candidates, outsiders));
    return { selector, matched: matched(selector) };
  };
  // The same few sets, roles, are asked for again and again.
  const known = new Map<string, ReturnType<typeof closest>>();
  const remembered = (ids: ReadonlySet<string>) => {
    const key = JSON.stringify([...ids].sort());
    const found = known.get(key) ?? closest(ids);
    known.set(key, found);
    return found;
  };
  return {
    closest: remembered,
    exact(ids) {
      const { selector, matched: found } = remembered(ids);
      return found.length === ids.size && found.every((id) => ids.has(id)) ? selector : undefined;
    },
  };
}
