import { createHash } from "node:crypto";
import type { Inventory } from "../model/workload.js";
import { expressForHosts } from "../policy/formats/nftables/express-for-hosts.js";
import { type HostRuleset, type TablePlan, tablePlan } from "../policy/formats/nftables/host-ruleset.js";
import { flipText, generationText, structureText } from "../policy/formats/nftables/ruleset-text.js";
import type { PolicySet } from "../policy/policy-set.js";

export interface EnforcementOrder {
  readonly host: string; // id of the workload that this host is
  /** Verified; at most one of each name. Those that isolate nothing here are left out. */
  readonly policySets: readonly PolicySet[];
  /** As known now: for each policy set, addresses move without a new signature. */
  readonly inventory: Inventory;
  /** Whether the host forwards packets, so that its ports may be published from addresses that nobody knows. */
  readonly isForwarding: boolean;
}

export interface WantedScope {
  readonly ruleset: HostRuleset;
  readonly hash: string; // of what its generation holds
}

/** What the kernel of one host is to hold, as data: the same for audit and deny. */
export interface WantedTable {
  readonly host: string;
  readonly plan: TablePlan;
  readonly scopes: readonly WantedScope[]; // by name
  readonly structure: string; // hash of what no generation changes
  readonly hash: string; // of everything: equal orders have equal hashes
}

function sha256(...texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
}

/**
 * What this host's kernel is to hold, and no more than that.
 * @throws {RangeError} If the inventory does not know the host, two policy sets have one name, or a group is unknown.
 * @throws {SyntaxError} If a name could be read as anything else by nft.
 */
export function wantedTable({ host, policySets, inventory, isForwarding }: EnforcementOrder): WantedTable {
  const workload = inventory.workloads.find(({ id }) => id === host);
  if (workload === undefined) {
    throw new RangeError(`Cannot render the table of host "${host}": the inventory has no workload of this id`);
  }
  const twice = policySets.find((set, at) => policySets.findIndex(({ name }) => name === set.name) !== at);
  if (twice !== undefined) {
    throw new RangeError(`Cannot render the table of host "${host}": two policy sets are named "${twice.name}"`);
  }
  const expressions = policySets.map((policySet) => expressForHosts(policySet, inventory, { mode: "audit" }));
  const plan = tablePlan(expressions, workload, { isPublishing: isForwarding });
  const scopes = plan.scopes.map((ruleset) => ({
    ruleset,
    hash: sha256(generationText(ruleset, 0, plan.isPublishing)),
  }));
  const structure = sha256(structureText(plan));
  return {
    host,
    plan,
    scopes,
    structure,
    hash: sha256(host, structure, flipText(plan), ...scopes.map(({ hash }) => hash)),
  };
}
