import type { AddressRange } from "../../model/cidr.js";
import { EVERYTHING, type LabelSelector, matchesLabels, selectorOfLabels } from "../../model/label-selector.js";
import type { Workload } from "../../model/workload.js";
import { cidrTexts, rangesContain } from "../address-ranges.js";
import type { AllowRule } from "../allow-rule.js";
import type { Peer, WorkloadSelector } from "../peer.js";
import type { Isolation, PolicySet } from "../policy-set.js";
import { addressRanges, currentRanges, type Selection } from "../selection.js";
import { canonicalSelector, intersectSelectors, selectorKey } from "../selector-algebra.js";
import type { PodCensus, PodTarget } from "./pod-target.js";

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
export interface PodPolicy extends PodPlace {
  readonly directions: readonly ("ingress" | "egress")[];
  readonly ingress: readonly RuleEntry[];
  readonly egress: readonly RuleEntry[];
}

/** A selection that knows what the target can select. */
export type PodsSelection = Selection &
  Pick<PodCensus, "isPod"> &
  Pick<PodTarget, "isClusterwide" | "hasExpressions" | "addressesMean" | "rootNamespace">;

/** Which pods one policy object is for. */
export interface PodPlace {
  readonly namespace: string | undefined; // absent for an object of the whole cluster
  readonly namespaces: LabelSelector; // which namespaces are meant; of one namespace, its name
  readonly selector: LabelSelector; // over pod labels
  readonly serviceAccounts: readonly string[]; // "namespace/name"; empty means any
}

interface PodSelection extends PodPlace {
  readonly workloads: readonly Workload[];
}

const METADATA_NAME = "kubernetes.io/metadata.name";

/** Whether the query is for namespaces by name. */
export function isPinned(namespaces: LabelSelector): boolean {
  return namespaces.requirements.some(({ key, operator }) => key === METADATA_NAME && operator === "In");
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

const MOST_VALUES = 64; // of one `In`, where each needs an object of its own

/** The selector as selectors of single values, if it says nothing else. */
function singleValues(selector: LabelSelector): LabelSelector[] | undefined {
  let made: LabelSelector[] = [{ requirements: [] }];
  for (const requirement of selector.requirements) {
    if (requirement.operator !== "In" || made.length * requirement.values.length > MOST_VALUES) return undefined;
    made = made.flatMap(({ requirements }) =>
      requirement.values.map((value) => ({ requirements: [...requirements, { ...requirement, values: [value] }] })),
    );
  }
  return made;
}

/**
 * Selectors for `meant`, which are some of the pods that `own` selects among `pods` of one namespace, by the labels of
 * each. Pods that labels do not tell from others are left out.
 */
function byOwnLabels(
  own: LabelSelector,
  pods: readonly Workload[],
  meant: readonly Workload[],
): [LabelSelector, Workload[]][] {
  return meant.flatMap((workload): [LabelSelector, Workload[]][] => {
    const wanted = intersectSelectors(own, selectorOfLabels(workload.labels));
    if (wanted === undefined) return [];
    const selector = { requirements: wanted.requirements.filter(({ operator }) => operator === "In") };
    const alike = pods.filter((other) => matchesLabels(selector, other.labels));
    return alike.every((other) => meant.includes(other)) ? [[selector, alike]] : [];
  });
}

/** One namespace's part of the answer, in selectors that the target can say. */
function sayable(
  namespace: string,
  selector: LabelSelector,
  serviceAccounts: readonly string[],
  workloads: readonly Workload[],
  selection: PodsSelection,
): PodSelection[] {
  if (namespace === selection.rootNamespace) return [];
  const namespaces = selectorOfLabels({ [METADATA_NAME]: namespace });
  const here = serviceAccounts.filter((account) => account.startsWith(`${namespace}/`));
  const place = { namespace, namespaces, serviceAccounts: here };
  if (selection.hasExpressions) return [{ ...place, selector, workloads }];
  const singles = singleValues(selector);
  if (singles !== undefined) {
    return singles.flatMap((single) => {
      const selected = workloads.filter((workload) => matchesLabels(single, workload.labels));
      return selected.length === 0 ? [] : [{ ...place, selector: single, workloads: selected }];
    });
  }
  const everyPod = selection.workloads.filter(
    (workload) => workload.namespace === namespace && selection.isPod(workload),
  );
  return byOwnLabels({ requirements: [] }, everyPod, workloads).map(([own, alike]) => ({
    ...place,
    selector: own,
    workloads: alike,
  }));
}

/** The pods that a query selects, for an object of the whole cluster where it does not name its namespaces. */
function placesOf(selector: WorkloadSelector, selection: PodsSelection): PodSelection[] {
  const labels = canonicalSelector(selector.labels);
  const namespaces = canonicalSelector(selector.namespaces);
  const workloads = selection.select(selector).filter(selection.isPod);
  if (labels === undefined || namespaces === undefined || workloads.length === 0) return [];
  const { serviceAccounts } = selector;
  if (selection.isClusterwide && !isPinned(namespaces)) {
    return [{ namespace: undefined, namespaces, selector: labels, serviceAccounts, workloads }];
  }
  return byNamespace(workloads).flatMap(([name, inside]) => sayable(name, labels, serviceAccounts, inside, selection));
}

/**
 * The pods of `isolation` that `peer`, the rule's end there, means: as selectors that pick exactly these pods of the
 * inventory. Pods that the target's selectors cannot tell from others are missing from the answer. `far` is the rule's other
 * end: a pod's address of a family that cannot meet it does not count.
 */
export function podSelectionsAt(peer: Peer, far: Peer, isolation: Isolation, selection: PodsSelection): PodSelection[] {
  const { namespaces, labels, serviceAccounts } = isolation.selector;
  switch (peer.kind) {
    case "any":
      return placesOf(isolation.selector, selection);
    case "fqdn":
      return [];
    case "workloads": {
      // Most rules are for other pods: look at who is meant before a selector is made for them.
      const [mine, theirs] = [selection.select(isolation.selector), selection.select(peer.selector)];
      const [few, other] = mine.length < theirs.length ? [mine, peer.selector] : [theirs, isolation.selector];
      if (!few.some((workload) => selection.isSelected(other, workload))) return [];
      return placesOf(
        {
          namespaces: { requirements: [...namespaces.requirements, ...peer.selector.namespaces.requirements] },
          labels: { requirements: [...labels.requirements, ...peer.selector.labels.requirements] },
          serviceAccounts: commonAccounts(serviceAccounts, peer.selector.serviceAccounts),
        },
        selection,
      );
    }
    case "cidr":
    case "group": {
      const own = canonicalSelector(labels);
      if (own === undefined) return [];
      const ranges = selection.rangesOf(peer) ?? [];
      const isWhole = isWhollyIn(ranges, familiesOf(far, selection));
      const pods = selection.select(isolation.selector).filter(selection.isPod);
      if (pods.length > 0 && pods.every(isWhole)) return placesOf(isolation.selector, selection);
      return byNamespace(pods).flatMap(([namespace, workloads]): PodSelection[] => {
        const inside = workloads.filter(isWhole);
        if (inside.length === workloads.length) return sayable(namespace, own, serviceAccounts, workloads, selection);
        // Some pods are in and some are out: a pod's own labels may still single it out.
        const namespaces = selectorOfLabels({ [METADATA_NAME]: namespace });
        return byOwnLabels(own, workloads, inside).flatMap(([selector, alike]) => {
          const both = intersectSelectors(own, selector);
          if (both === undefined) return [];
          if (!selection.hasExpressions) return sayable(namespace, both, serviceAccounts, alike, selection);
          return [{ namespace, namespaces, selector: both, serviceAccounts, workloads: alike }];
        });
      });
    }
  }
}

/** The address families of a peer that is addresses; both for all others. */
export function familiesOf(peer: Peer, selection: PodsSelection): readonly (4 | 6)[] {
  if (peer.kind !== "cidr" && peer.kind !== "group") return [4, 6];
  return [...new Set(selection.rangesOf(peer)?.map(({ family }) => family))];
}

function isWhollyIn(ranges: readonly AddressRange[], families: readonly (4 | 6)[] = [4, 6]) {
  return (workload: Workload) => {
    const addresses = addressRanges(workload).filter(({ family }) => families.includes(family));
    return addresses.length > 0 && addresses.every(({ family, first }) => rangesContain(ranges, family, first));
  };
}

/**
 * Pods with all their addresses in `ranges`, by label, for targets to which an address is never a pod. Pods that labels do
 * not tell from others, or that are only partly inside, are missing from the answer.
 */
export function podsInside(ranges: readonly AddressRange[], selection: PodsSelection): PodSelection[] {
  if (selection.addressesMean === "anyone") return [];
  const pods = selection.workloads.filter(selection.isPod);
  const isInside = isWhollyIn(ranges);
  const everything = { selector: EVERYTHING, serviceAccounts: [] };
  if (pods.length > 0 && pods.every(isInside)) {
    return [{ namespace: undefined, namespaces: EVERYTHING, ...everything, workloads: pods }];
  }
  return byNamespace(pods).flatMap(([namespace, workloads]): PodSelection[] => {
    const namespaces = selectorOfLabels({ [METADATA_NAME]: namespace });
    const inside = workloads.filter(isInside);
    if (inside.length === workloads.length) return [{ namespace, namespaces, ...everything, workloads }];
    return byOwnLabels(EVERYTHING, workloads, inside).map(([selector, alike]) => ({
      namespace,
      namespaces,
      selector,
      serviceAccounts: [],
      workloads: alike,
    }));
  });
}

/** Addresses as such, and the pods that the target would not find behind them. */
function addressesAndPods(peer: Peer, addresses: readonly RemotePeer[], selection: PodsSelection): RemotePeer[] {
  const pods = podsInside(selection.rangesOf(peer) ?? [], selection).map(
    ({ namespaces, selector, serviceAccounts }): RemotePeer => ({
      kind: "pods",
      selector: { namespaces, labels: selector, serviceAccounts },
    }),
  );
  return [...pods, ...addresses];
}

function remotesOf(peer: Peer, selection: PodsSelection): RemotePeer[] {
  switch (peer.kind) {
    case "any":
      return [{ kind: "everybody" }];
    case "fqdn":
      return [{ kind: "name", pattern: peer.pattern }];
    case "cidr":
      return addressesAndPods(peer, [{ kind: "addresses", cidr: peer.cidr, except: peer.except }], selection);
    case "group": {
      const cidrs = cidrTexts(selection.rangesOf(peer) ?? []);
      return addressesAndPods(
        peer,
        cidrs.map((cidr) => ({ kind: "addresses", cidr, except: [] })),
        selection,
      );
    }
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
  readonly place: PodPlace;
  readonly directions: Set<"ingress" | "egress">;
  readonly entries: { readonly ingress: RuleEntry[]; readonly egress: RuleEntry[] };
}

const ANYBODY: Peer = { kind: "any" };

/** One policy for each selector of isolated pods, with every rule that ends there. Sorted; exact on the inventory. */
export function podPoliciesOf(policySet: PolicySet, selection: PodsSelection): PodPolicy[] {
  const drafts = new Map<string, Draft>();
  const draftAt = (place: PodPlace, direction: "ingress" | "egress"): Draft => {
    const key = JSON.stringify([
      place.namespace ?? "",
      selectorKey(place.namespaces),
      selectorKey(place.selector),
      place.serviceAccounts,
    ]);
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
    for (const place of podSelectionsAt(ANYBODY, ANYBODY, isolation, selection)) draftAt(place, direction);
    for (const rule of policySet.rules) {
      const [near, far] = direction === "ingress" ? [rule.server, rule.client] : [rule.client, rule.server];
      const places = podSelectionsAt(near, far, isolation, selection);
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
      namespaces: place.namespaces,
      selector: place.selector,
      serviceAccounts: place.serviceAccounts,
      directions: (["ingress", "egress"] as const).filter((direction) => directions.has(direction)),
      ingress: entries.ingress,
      egress: entries.egress,
    }));
}
