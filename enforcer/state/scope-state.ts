import type { EnforcementState } from "../../model/verdict-report.js";
import type { PolicyMode } from "../../policy/policy-set.js";
import type { EnforcementSettings } from "../../policy/trust/enforcement-settings.js";
import type { LeaseLife } from "../enforcer-kernel.js";

/** Where one policy stands on one host. Times are spans that the monotonic clock counted; JSON, kept over restarts. */
export interface ScopeState {
  readonly phase: EnforcementState;
  readonly generation: number; // the last one accepted; 0 before any
  readonly inPhaseMs: number;
  readonly auditedMs: number; // in audit and ready together, for this content
  readonly quietMs: number; // since the last attempt that neither a rule permits nor a reviewer disposed of
  readonly completeMs: number; // since the last attempt that the kernel had no room to note
  readonly offlineMs: number; // since the controller answered
  readonly askedMs: number; // since a confirmation was asked for
  readonly hasTraffic: boolean; // a rule permitted something
  readonly answers: "yes" | "no" | "unknown"; // the controller and every probe, when they were asked last
  readonly failures: number; // trials of this content that were taken back
  readonly waitsForHuman: boolean;
  readonly returnsToTrial: boolean; // was in trial or deny before its table went: warm up, then try again
  readonly isUnconfirmed: boolean; // addresses moved since the last confirmation
  readonly isSuspect: boolean; // in deny, lease taken away to see whether the policy is what keeps probes silent
  readonly before: readonly EnforcementState[]; // where pause and quarantine lead back to, outermost first
}

export const NEW_SCOPE: ScopeState = {
  phase: "proposed",
  generation: 0,
  inPhaseMs: 0,
  auditedMs: 0,
  quietMs: 0,
  completeMs: 0,
  offlineMs: 0,
  askedMs: 0,
  hasTraffic: false,
  answers: "unknown",
  failures: 0,
  waitsForHuman: false,
  returnsToTrial: false,
  isUnconfirmed: false,
  isSuspect: false,
  before: [],
};

/** What the signed order says, and what the host was found to be. */
export interface ScopeRules {
  readonly generation: number;
  readonly mode: PolicyMode; // how far the order lets us go
  readonly settings: EnforcementSettings;
  readonly isExpired: boolean;
  readonly obstacles: readonly string[]; // of the preflight, those that refuse
}

/**
 * `change` of an accepted order: `first`, or against what was in force here: `wider` permits all of it, `narrower` does not.
 * Counts tell attempts since the count before: `unexpected`, that nobody disposed of; `good`, of these, that the policy as
 * approved or an earlier one permitted.
 */
export type ScopeEvent =
  | { readonly kind: "simulated" }
  | { readonly kind: "accepted"; readonly change: "first" | "wider" | "narrower" }
  | { readonly kind: "loaded" } // the kernel holds it
  | { readonly kind: "moved" } // the kernel holds other addresses for the same content
  | { readonly kind: "tick"; readonly elapsedMs: number }
  | {
      readonly kind: "counted";
      readonly unexpected: number;
      readonly good: number;
      readonly unrecorded: number;
      readonly permitted: number;
    }
  | { readonly kind: "confirmed" }
  | { readonly kind: "unconfirmed"; readonly reasons: readonly string[] }
  | { readonly kind: "promote"; readonly by: "human" | "order" }
  | { readonly kind: "rollback"; readonly reason: string }
  | { readonly kind: "pause" | "resume" | "quarantine" | "release" }
  | { readonly kind: "lease-lost"; readonly how: "expired" | "taken" }
  /** The table is gone, was changed by somebody, or is whole and not the one that it should be. */
  | { readonly kind: "drifted"; readonly how: "gone" | "tampered" | "stale" };

export type ScopeEventKind = ScopeEvent["kind"];

/** In the order given; `confirm` is answered by an event `confirmed` or `unconfirmed`. */
export type ScopeAction =
  | { readonly kind: "lease"; readonly life: LeaseLife }
  | { readonly kind: "drop-lease" }
  | { readonly kind: "confirm" }
  | { readonly kind: "keep" } // this content proved itself: what a boot may restore
  | { readonly kind: "incident"; readonly code: IncidentCode; readonly text: string };

/** What people are told of; listed in docs/enforce.md. */
export type IncidentCode =
  | "trial-failed"
  | "rolled-back"
  | "good-traffic-dropped"
  | "policy-blocks-probe"
  | "probe-fails"
  | "offline"
  | "lease-expired"
  | "lease-taken"
  | "table-gone"
  | "table-tampered"
  | "table-stale"
  | "counts-incomplete";

/** A condition of promotion. */
export interface Gate {
  readonly name: string;
  readonly isMet: boolean;
  readonly value: string;
  readonly wanted: string;
}

export interface Transition {
  readonly state: ScopeState;
  readonly actions: readonly ScopeAction[];
  /** Of a promotion that was refused: what is not met. */
  readonly unmet?: readonly Gate[];
}
