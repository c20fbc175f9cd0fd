import type { AddressRange } from "../model/cidr.js";
import { type LabelSelector, type Labels, matchesLabels } from "../model/label-selector.js";
import type { AddressGroup, Inventory, Workload } from "../model/workload.js";
import { ALL_ADDRESSES, mergeRanges, rangeOfAddress, rangesOfCidrs, subtractRanges } from "./address-ranges.js";
import type { Peer, WorkloadSelector } from "./peer.js";
import type { PolicySet } from "./policy-set.js";

/** Who and what selectors and peers mean at the end of the inventory's time, when files are applied. */
export interface Selection {
  readonly workloads: readonly Workload[];
  /** Namespaces that are declared or have a workload, with their labels, by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly select: (selector: WorkloadSelector) => readonly Workload[];
  readonly isSelected: (selector: WorkloadSelector, workload: Workload) => boolean;
  readonly selectNamespaces: (selector: LabelSelector) => readonly string[];
  /** Addresses of a peer, merged; `undefined` for a name, whose addresses nobody knows beforehand. */
  readonly rangesOf: (peer: Peer) => readonly AddressRange[] | undefined;
}

/** The addresses that still reach the workload: those whose interval has no end. Canonical text, sorted. */
export function currentAddresses(workload: Workload): string[] {
  const open = workload.addresses.filter((interval) => interval.untilUs === undefined);
  return [...new Set(open.map((interval) => interval.address))].sort();
}

const RANGES = new WeakMap<Workload, readonly AddressRange[]>();

/** Each current address as a range of its own; read once for each workload. */
export function addressRanges(workload: Workload): readonly AddressRange[] {
  let ranges = RANGES.get(workload);
  if (ranges === undefined) {
    ranges = currentAddresses(workload).map(rangeOfAddress);
    RANGES.set(workload, ranges);
  }
  return ranges;
}

export function currentRanges(workload: Workload): AddressRange[] {
  return mergeRanges(addressRanges(workload));
}

/**
 * Groups of the policy set win over groups of the inventory that have the same name.
 * `rangesOf` throws a RangeError for a group that neither has.
 */
export function selectionOf(policySet: PolicySet, inventory: Inventory): Selection {
  const namespaces = new Map<string, Labels>();
  const declared = new Map(inventory.namespaces.map((namespace) => [namespace.name, namespace.labels]));
  const names = [...declared.keys(), ...inventory.workloads.map((workload) => workload.namespace)];
  for (const name of [...new Set(names)].sort()) {
    namespaces.set(name, { ...declared.get(name), "kubernetes.io/metadata.name": name });
  }
  const groups = new Map<string, AddressGroup>();
  for (const group of [...inventory.groups, ...policySet.groups]) groups.set(group.name, group);

  const selectNamespaces = (selector: LabelSelector): string[] =>
    [...namespaces].filter(([, labels]) => matchesLabels(selector, labels)).map(([name]) => name);

  const cache = new WeakMap<WorkloadSelector, readonly Workload[]>();
  const select = (selector: WorkloadSelector): readonly Workload[] => {
    let found = cache.get(selector);
    if (found === undefined) {
      const inside = new Set(selectNamespaces(selector.namespaces));
      found = inventory.workloads.filter(
        (workload) =>
          inside.has(workload.namespace) &&
          matchesLabels(selector.labels, workload.labels) &&
          (selector.serviceAccounts.length === 0 ||
            (workload.serviceAccount !== undefined &&
              selector.serviceAccounts.includes(`${workload.namespace}/${workload.serviceAccount}`))),
      );
      cache.set(selector, found);
    }
    return found;
  };

  const members = new WeakMap<WorkloadSelector, ReadonlySet<Workload>>();
  const isSelected = (selector: WorkloadSelector, workload: Workload): boolean => {
    let found = members.get(selector);
    if (found === undefined) {
      found = new Set(select(selector));
      members.set(selector, found);
    }
    return found.has(workload);
  };

  const computeRanges = (peer: Peer): readonly AddressRange[] | undefined => {
    switch (peer.kind) {
      case "workloads":
        return mergeRanges(select(peer.selector).flatMap(currentRanges));
      case "cidr":
        return subtractRanges(rangesOfCidrs([peer.cidr]), rangesOfCidrs(peer.except));
      case "group": {
        const group = groups.get(peer.name);
        if (group === undefined) {
          throw new RangeError(
            `Cannot resolve group "${peer.name}": neither the policy set nor the inventory names it`,
          );
        }
        return rangesOfCidrs(group.cidrs);
      }
      case "fqdn":
        return undefined;
      case "any":
        return ALL_ADDRESSES;
    }
  };
  const ranges = new WeakMap<Peer, { readonly found: readonly AddressRange[] | undefined }>();
  const rangesOf = (peer: Peer): readonly AddressRange[] | undefined => {
    let cached = ranges.get(peer);
    if (cached === undefined) {
      cached = { found: computeRanges(peer) };
      ranges.set(peer, cached);
    }
    return cached.found;
  };
  return { workloads: inventory.workloads, namespaces, select, isSelected, selectNamespaces, rangesOf };
}
