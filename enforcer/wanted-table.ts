import type { Inventory } from "../model/workload.js";
import type { HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import type { PolicySet } from "../policy/policy-set.js";

export interface EnforcementOrder {
  readonly host: string; // id of the workload that this host is
  /** Verified; at most one of each name. Those that isolate nothing here are left out. */
  readonly policySets: readonly PolicySet[];
  /** As known now: for each policy set, addresses move without a new signature. */
  readonly inventory: Inventory;
}

/** What the kernel of one host is to hold, as data: the same for audit and deny. */
export interface WantedTable {
  readonly host: string;
  readonly scopes: readonly HostRuleset[]; // by name
  readonly hash: string; // of everything: equal orders have equal hashes
}
