import { type LabelSelector, matchesLabels, selectorOfLabels } from "../../model/label-selector.js";
import type { Workload } from "../../model/workload.js";
import { cidrTexts, rangeOfAddress, rangesContain } from "../address-ranges.js";
import type { AllowRule } from "../allow-rule.js";
import type { Peer, WorkloadSelector } from "../peer.js";
import type { Isolation, PolicySet } from "../policy-set.js";
import { currentAddresses, currentRanges, type Selection } from "../selection.js";
import { canonicalSelector, intersectSelectors, selectorKey } from "../selector-algebra.js";
import type { PodCensus } from "./pod-target.js";

/** The other end of a rule as formats that select pods by label know it. */
export type RemotePeer =
  | { readonly kind: "pods"; readonly selector: WorkloadSelector }
  | { readonly kind: "addresses"; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: "name"; readonly pattern: string }
  | { readonly kind: "everybody" };

/** One rule at one end. `remotes` is never empty, because an empty list means everybody to most formats. */
export interface RuleEntry {
  readonly rule: AllowRule;
  readonly remotes: readonly RemotePeer[];
}

/** One policy object: it isolates the pods it selects, in the directions named, and allows what its entries say. */
export interface PodPolicy {
  readonly namespace: string;
  readonly selector: LabelSelector; // over pod labels
  readonly serviceAccounts: readonly string[]; // "namespace/name"; empty means any
  readonly directions: readonly ("ingress" | "egress")[];
  readonly ingress: readonly RuleEntry[];
  readonly egress: readonly RuleEntry[];
}

/** A selection that knows pods from other workloads. */
export type PodsSelection = Selection & Pick<PodCensus, "isPod">;

interface PodSelection {
  readonly namespace: string;
  readonly selector: LabelSelector;
  readonly serviceAccounts: readonly string[];
  readonly workloads: readonly Workload[];
}

function byNamespace(workloads: readonly Workload[]): [string, Workload[]][] {
  const groups = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const group = groups.get(workload.namespace);
    if (group === undefined) groups.set(workload.namespace, [workload]);
    else group.push(workload);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function commonAccounts(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : a.filter((account) => b.includes(account));
}

/**
 * The pods of `isolation` that `peer`, the rule's end there, means: as selectors that pick exactly these pods of the
 * inventory. Pods that only an address tells apart from others are missing from the answer.
 */
export function podSelectionsAt(peer: Peer, isolation: Isolation, selection: PodsSelection): PodSelection[] {
  const own = canonicalSelector(isolation.selector.labels);
  if (own === undefined) return [];
  const pods = selection.select(isolation.selector).filter(selection.isPod);
  const { serviceAccounts } = isolation.selector;
  switch (peer.kind) {
    case "any":
      return byNamespace(pods).map(([namespace, workloads]) => ({
        namespace,
        selector: own,
        serviceAccounts,
        workloads,
      }));
    case "fqdn":
      return [];
    case "workloads": {
      const meant = new Set(selection.select(peer.selector));
      const selector = intersectSelectors(own, peer.selector.labels);
      const both = pods.filter((workload) => meant.has(workload));
      const accounts = commonAccounts(serviceAccounts, peer.selector.serviceAccounts);
      if (selector === undefined) return [];
      return byNamespace(both).map(([namespace, workloads]) => ({
        namespace,
        selector,
        serviceAccounts: accounts,
        workloads,
      }));
    }
    case "cidr":
    case "group": {
      const ranges = selection.rangesOf(peer) ?? [];
      const isWhole = (workload: Workload) => {
        const addresses = currentAddresses(workload).map(rangeOfAddress);
        return addresses.length > 0 && addresses.every(({ family, first }) => rangesContain(ranges, family, first));
      };
      return byNamespace(pods).flatMap(([namespace, workloads]): PodSelection[] => {
        const inside = workloads.filter(isWhole);
        if (inside.length === workloads.length) return [{ namespace, selector: own, serviceAccounts, workloads }];
        // Some pods are in and some are out: a pod's own labels may still single it out.
        return inside.flatMap((workload): PodSelection[] => {
          const selector = intersectSelectors(own, selectorOfLabels(workload.labels));
          if (selector === undefined) return [];
          const alike = workloads.filter((other) => matchesLabels(selector, other.labels));
          return alike.every((other) => inside.includes(other))
            ? [{ namespace, selector, serviceAccounts, workloads: alike }]
            : [];
        });
      });
    }
  }
}

function remotesOf(peer: Peer, selection: PodsSelection): RemotePeer[] {
  switch (peer.kind) {
    case "any":
      return [{ kind: "everybody" }];
    case "fqdn":
      return [{ kind: "name", pattern: peer.pattern }];
    case "cidr":
      return [{ kind: "addresses", cidr: peer.cidr, except: peer.except }];
    case "group":
      return cidrTexts(selection.rangesOf(peer) ?? []).map((cidr) => ({ kind: "addresses", cidr, except: [] }));
    case "workloads": {
      const meant = selection.select(peer.selector);
      const others = meant.filter((workload) => !selection.isPod(workload));
      const addresses = cidrTexts(others.flatMap(currentRanges)).map(
        (cidr): RemotePeer => ({ kind: "addresses", cidr, except: [] }),
      );
      // A selector that matches nobody yet still speaks of pods to come.
      if (meant.length > 0 && others.length === meant.length) return addresses;
      return [{ kind: "pods", selector: peer.selector }, ...addresses];
    }
  }
}

interface Draft {
  readonly place: Omit<PodSelection, "workloads">;
  readonly directions: Set<"ingress" | "egress">;
  readonly entries: { readonly ingress: RuleEntry[]; readonly egress: RuleEntry[] };
}

/** One policy for each selector of isolated pods, with every rule that ends there. Sorted; exact on the inventory. */
export function podPoliciesOf(policySet: PolicySet, selection: PodsSelection): PodPolicy[] {
  const drafts = new Map<string, Draft>();
  const draftAt = (place: Omit<PodSelection, "workloads">, direction: "ingress" | "egress"): Draft => {
    const key = JSON.stringify([place.namespace, selectorKey(place.selector), place.serviceAccounts]);
    let draft = drafts.get(key);
    if (draft === undefined) {
      draft = { place, directions: new Set(), entries: { ingress: [], egress: [] } };
      drafts.set(key, draft);
    }
    draft.directions.add(direction);
    return draft;
  };
  for (const isolation of policySet.isolations) {
    const { direction } = isolation;
    for (const place of podSelectionsAt({ kind: "any" }, isolation, selection)) draftAt(place, direction);
    for (const rule of policySet.rules) {
      const [near, far] = direction === "ingress" ? [rule.server, rule.client] : [rule.client, rule.server];
      const places = podSelectionsAt(near, isolation, selection);
      if (places.length === 0) continue;
      const remotes = remotesOf(far, selection);
      if (remotes.length === 0) continue;
      for (const place of places) {
        const entries = draftAt(place, direction).entries[direction];
        if (!entries.some((entry) => entry.rule.id === rule.id)) entries.push({ rule, remotes });
      }
    }
  }
  return [...drafts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { place, directions, entries }]) => ({
      namespace: place.namespace,
      selector: place.selector,
      serviceAccounts: place.serviceAccounts,
      directions: (["ingress", "egress"] as const).filter((direction) => directions.has(direction)),
      ingress: entries.ingress,
      egress: entries.egress,
    }));
}
