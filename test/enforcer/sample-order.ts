import { type WantedTable, wantedTable } from "../../enforcer/wanted-table.js";
import type { Inventory } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { inventoryOf, peer, pods, ports, rule, workload } from "../policy/sample-policy.js";

export const HOST = "lab/host";

/** The host, a client that may reach it, and one that may not. */
export const INVENTORY: Inventory = inventoryOf([
  workload(HOST, { app: "host" }, ["10.88.0.1", "fd88::1"], "Host"),
  workload("lab/good", { app: "good" }, ["10.88.0.2", "fd88::2"]),
  workload("lab/evil", { app: "evil" }, ["10.88.0.66", "fd88::66"]),
]);

export const IN_RULE = rule("in-good", peer("lab", { app: "good" }), peer("lab", { app: "host" }), [
  ports("tcp", 80),
  ports("udp", 53),
]);

export function scope(name: string, generation: number, rules: readonly AllowRule[] = [IN_RULE]): PolicySet {
  const selector = pods("lab", { app: "host" });
  return {
    version: 1,
    name,
    generation,
    rules,
    isolations: [
      { selector, direction: "egress", mode: "audit" },
      { selector, direction: "ingress", mode: "audit" },
    ],
    groups: [],
  };
}

export function wanted(policySets: readonly PolicySet[], inventory = INVENTORY, isForwarding = false): WantedTable {
  return wantedTable({ host: HOST, policySets, inventory, isForwarding });
}
