import type { Direction, NamedService } from "../../decision/program.js";
import type { ServiceInterval } from "../../decision/service-line.js";
import type { SelectorExpression } from "./selector-expression.js";

/** Pods of a Service, or endpoints by service account; as written. */
export interface ServiceAccountMatch {
  readonly names: readonly string[]; // empty means any
  readonly selector: SelectorExpression | undefined;
}

/** One end of a rule. All parts that are there must hold. */
export interface EntityRule {
  readonly nets: readonly string[] | undefined;
  readonly notNets: readonly string[];
  readonly selector: SelectorExpression | undefined;
  readonly notSelector: SelectorExpression | undefined;
  readonly namespaceSelector: SelectorExpression | undefined;
  readonly serviceAccounts: ServiceAccountMatch | undefined;
  readonly service: { readonly name: string; readonly namespace: string | undefined } | undefined;
  readonly hasPorts: boolean; // of whatever kind; the destination's are in the rule's `services`
}

/** What is spoken; named ports that must not be spoken are kept apart, since only the server knows their numbers. */
export interface RuleServices {
  readonly intervals: readonly ServiceInterval[];
  readonly named: readonly NamedService[];
  readonly notNamed: readonly NamedService[];
}

export interface CalicoRule {
  readonly name: string; // e.g. "ingress[0]"
  readonly action: "allow" | "deny" | "pass" | "log";
  readonly ipVersion: 4 | 6 | undefined;
  readonly services: RuleServices;
  readonly source: EntityRule;
  readonly destination: EntityRule;
  /** What the rule also looks at and we do not, e.g. "HTTP"; it matches less than is shown here. */
  readonly narrowedBy: string | undefined;
}

export interface CalicoPolicy {
  readonly kind: string;
  readonly namespace: string | undefined; // `undefined` for global ones
  readonly name: string;
  readonly isStaged: boolean;
  readonly tier: string;
  readonly order: number; // Infinity where none is given
  readonly selector: SelectorExpression;
  readonly namespaceSelector: SelectorExpression | undefined;
  readonly serviceAccountSelector: SelectorExpression | undefined;
  readonly isForHostsOnly: boolean; // doNotTrack and preDNAT
  readonly directions: readonly Direction[];
  readonly ingress: readonly CalicoRule[];
  readonly egress: readonly CalicoRule[];
}

export interface CalicoTier {
  readonly name: string;
  readonly order: number; // Infinity where none is given
  readonly defaultAction: "deny" | "pass";
}

/** Rules for endpoints that no policy has decided about. */
export interface CalicoProfile {
  readonly name: string;
  readonly ingress: readonly CalicoRule[];
  readonly egress: readonly CalicoRule[];
}

/** Addresses with labels, so that selectors find them. */
export interface NetworkSet {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nets: readonly string[];
}
