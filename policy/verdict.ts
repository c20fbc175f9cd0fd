import type { Inventory } from "../model/workload.js";
import { type CompiledPolicy, compileProgram, type SpaceOptions } from "./decision/compiled-policy.js";
import type { Decision, Query } from "./decision/question.js";
import { type NameTable, programOfPolicySet } from "./neutral.js";
import type { PolicySet } from "./policy-set.js";

export interface CompileOptions extends SpaceOptions {
  /** What DNS names resolve to; FQDN peers match nothing that is not in here. */
  readonly names?: NameTable;
}

/** @throws {RangeError} If a rule names a group that neither the policy set nor the inventory has. */
export function compilePolicy(
  policySet: PolicySet,
  inventory: Inventory,
  options: CompileOptions = {},
): CompiledPolicy {
  return compileProgram(programOfPolicySet(policySet, inventory, options.names), inventory, options);
}

/** One question. Compile the policy first when there are several. */
export function verdict(
  policySet: PolicySet,
  inventory: Inventory,
  query: Query,
  options: CompileOptions = {},
): Decision {
  return compilePolicy(policySet, inventory, options).verdict(query);
}
