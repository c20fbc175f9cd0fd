import type { Inventory } from "../../../model/workload.js";
import type { PolicySet } from "../../policy-set.js";
import { canonicalHash } from "../../trust/canonical-json.js";
import { expressForHosts } from "./express-for-hosts.js";
import { hostRuleset, isolatedHosts } from "./host-ruleset.js";
import { lifelineTexts } from "./lifeline-text.js";
import { addressText, elementTexts } from "./nft-text.js";

/**
 * The hash of everything that lets a packet pass on any host: the elements of its permit sets and its lifelines, as nft
 * reads them. Counters, log lines and the names of sets are not part of it, so that a release which counts in another way
 * leaves every signature valid, and one which would let other packets pass is refused.
 */
export function rulesetHash(policySet: PolicySet, inventory: Inventory): string {
  const expression = expressForHosts(policySet, inventory, { mode: "deny" });
  const hosts = isolatedHosts(expression).map((workload) => {
    const { directions, permits, behind } = hostRuleset(expression, workload);
    return {
      workload: workload.id,
      directions,
      permits: permits.map((set) => ({
        direction: set.direction,
        family: set.family,
        kind: set.kind,
        elements: elementTexts(set),
      })),
      behind: behind.map((set) => ({
        direction: set.direction,
        family: set.family,
        elements: set.ranges.map(addressText),
      })),
    };
  });
  return canonicalHash({ lifelines: lifelineTexts(expression.lifelines, expression.selection), hosts });
}
