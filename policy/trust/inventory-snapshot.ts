import { formatInventory } from "../../model/inventory-format.js";
import type { Inventory, Workload } from "../../model/workload.js";
import type { Peer, WorkloadSelector } from "../peer.js";
import type { PolicySet } from "../policy-set.js";
import { currentAddresses, selectionOf } from "../selection.js";

function selectorsOf(policySet: PolicySet): WorkloadSelector[] {
  const ofPeer = (peer: Peer) => (peer.kind === "workloads" ? [peer.selector] : []);
  return [
    ...policySet.isolations.map((isolation) => isolation.selector),
    ...policySet.rules.flatMap((rule) => [...ofPeer(rule.client), ...ofPeer(rule.server)]),
  ];
}

/** Names, labels and the addresses of now: nothing else of a workload changes what a host's kernel is told. */
function essentials({ id, namespace, name, kind, labels, serviceAccount, host, ...workload }: Workload): Workload {
  const addresses = currentAddresses({ id, namespace, name, kind, labels, ...workload }).map((address) => ({
    address,
  }));
  const account = serviceAccount === undefined ? {} : { serviceAccount };
  return { id, namespace, name, kind, labels, ...account, ...(host === undefined ? {} : { host }), addresses };
}

/**
 * The part of the inventory that a policy set speaks of, as it is when the set is approved: what reviewers saw, and what
 * every enforcer renders the ruleset from whose hash was signed. YAML, as in docs/inventory.md.
 */
export function inventorySnapshot(policySet: PolicySet, inventory: Inventory): string {
  const selection = selectionOf(policySet, inventory);
  const meant = new Set(selectorsOf(policySet).flatMap((selector) => selection.select(selector)));
  const hosts = new Set([...meant].flatMap((workload) => workload.host ?? []));
  const workloads = inventory.workloads
    .filter((workload) => meant.has(workload) || hosts.has(workload.id))
    .map(essentials);
  const ids = new Set(workloads.map((workload) => workload.id));
  const named = new Set(policySet.groups.map((group) => group.name));
  return formatInventory({
    workloads,
    namespaces: inventory.namespaces,
    groups: inventory.groups.filter((group) => !named.has(group.name)),
    shared: inventory.shared.filter(({ members }) => members.length > 0 && members.every((member) => ids.has(member))),
    lifelines: inventory.lifelines,
  });
}
