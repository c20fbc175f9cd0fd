import type { Labels } from "../../../model/label-selector.js";

/** Texts of which one must match, and texts of which none may; `*` at one end, or alone for "there is one". */
export interface TextMatch {
  readonly values: readonly string[]; // empty means no demand
  readonly notValues: readonly string[];
}

/** Who sends. All parts must hold. */
export interface Source {
  readonly principals: TextMatch; // "trust-domain/ns/namespace/sa/account"
  readonly trustDomains: TextMatch;
  readonly namespaces: TextMatch;
  readonly serviceAccounts: TextMatch; // "namespace/account"
  readonly ipBlocks: TextMatch; // CIDRs
}

/** What is asked for, as far as it is more than HTTP: ports of the workload. */
export interface Operation {
  readonly ports: readonly number[] | undefined; // undefined means all
  readonly notPorts: readonly number[];
}

/** One of the sources, one of the operations, and all conditions must match; an absent list matches everything. */
export interface AuthorizationRule {
  readonly name: string; // e.g. "rules[0]"
  readonly sources: readonly Source[] | undefined;
  readonly operations: readonly Operation[] | undefined;
  readonly conditions: readonly Source[];
  readonly conditionPorts: readonly Operation[];
  readonly serverAddresses: readonly TextMatch[]; // CIDRs, where a condition asks for the destination's address
  /** What the rule also looks at and we do not, e.g. "methods"; it matches less than is shown here. */
  readonly narrowedBy: readonly string[];
}

export type AuthorizationAction = "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";

/** What a policy is attached to in place of a selector. */
export interface TargetReference {
  readonly kind: string; // "Service", "Gateway", "GatewayClass" or "ServiceEntry"
  readonly name: string;
}

/** A `security.istio.io` AuthorizationPolicy. */
export interface AuthorizationPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Labels; // empty selects all workloads of the namespace
  readonly targets: readonly TargetReference[];
  readonly action: AuthorizationAction;
  readonly rules: readonly AuthorizationRule[];
  readonly isDryRun: boolean;
}
