import type { Inventory } from "../model/workload.js";
import { expressForHosts } from "../policy/formats/nftables/express-for-hosts.js";
import { type HostRuleset, hostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import type { PolicySet } from "../policy/policy-set.js";
import type { HeldPolicy } from "../policy/trust/restore-policy.js";

/** Who has which address, as this host heard it last. */
export interface HeardInventory {
  readonly inventory: Inventory;
  /** By a file of this host's own, rather than by a carrier. */
  readonly isLocal: boolean;
}

/**
 * The inventory that rulesets are made of: what was heard last, or that of the newest approval. Lifelines and groups pass
 * whatever the policy says, so that those of approvals stand where the inventory came by a carrier.
 */
export function surroundingsOf(
  heard: HeardInventory | undefined,
  policies: readonly HeldPolicy[],
): Inventory | undefined {
  const approved = [...policies]
    .sort((a, b) => (a.order.notBefore < b.order.notBefore ? -1 : 1))
    .map((policy) => policy.inventory);
  const last = approved.at(-1);
  if (heard === undefined || last === undefined) return heard?.inventory ?? last;
  if (heard.isLocal) return heard.inventory;
  const groups = new Map(approved.flatMap(({ groups }) => groups).map((group) => [group.name, group]));
  return { ...heard.inventory, lifelines: last.lifelines, groups: [...groups.values()] };
}

/** What a policy set says to one host; `undefined` where the inventory does not know the host. */
export function rulesetOf(host: string, policySet: PolicySet, inventory: Inventory): HostRuleset | undefined {
  const workload = inventory.workloads.find(({ id }) => id === host);
  return workload === undefined
    ? undefined
    : hostRuleset(expressForHosts(policySet, inventory, { mode: "deny" }), workload);
}
