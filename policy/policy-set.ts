import type { AddressGroup } from "../model/workload.js";
import type { AllowRule } from "./allow-rule.js";
import type { WorkloadSelector } from "./peer.js";

export const POLICY_SET_VERSION = 1;

/** In audit mode a missing rule is counted, in deny mode it drops. */
export type PolicyMode = "audit" | "deny";

/**
 * From here on only what a rule allows may pass, for these workloads in this direction. A workload that no
 * isolation selects is open in that direction. Where two select it, deny wins over audit.
 */
export interface Isolation {
  readonly selector: WorkloadSelector;
  readonly direction: "ingress" | "egress";
  readonly mode: PolicyMode;
}

/** The unit that is reviewed, signed, exported and enforced. Rules and isolations are sorted. */
export interface PolicySet {
  readonly version: typeof POLICY_SET_VERSION;
  readonly name: string; // enforcement scope, [a-z0-9-]+
  readonly generation: number; // 1, 2, 3 ...; a rollback is a new generation with old content
  readonly rules: readonly AllowRule[];
  readonly isolations: readonly Isolation[];
  readonly groups: readonly AddressGroup[]; // names that rules use, with their addresses
}
