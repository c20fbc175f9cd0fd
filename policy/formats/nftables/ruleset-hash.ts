import { createHash } from "node:crypto";
import type { Inventory } from "../../../model/workload.js";
import type { PolicySet } from "../../policy-set.js";
import { expressForHosts } from "./express-for-hosts.js";
import { hostRuleset, isolatedHosts } from "./host-ruleset.js";
import { generationText } from "./ruleset-text.js";

/**
 * SHA-256, in hex, over what every host's kernel is to hold of one policy set: who signs it signs what it renders to, and
 * an enforcer whose renderer says otherwise refuses it.
 */
export function rulesetHash(policySet: PolicySet, inventory: Inventory): string {
  const expression = expressForHosts(policySet, inventory, { mode: "audit" });
  const hash = createHash("sha256");
  for (const workload of isolatedHosts(expression)) {
    const ruleset = hostRuleset(expression, workload);
    hash.update(`${JSON.stringify(workload.id)}\n${generationText(ruleset)}\n`);
  }
  return hash.digest("hex");
}
