import type { EndSet } from "./end-set.js";
import type { ServiceInterval } from "./service-line.js";

/** Where something stands in what a person wrote. */
export interface Source {
  readonly policy: string; // e.g. "NetworkPolicy shop/web", or the name of a policy set
  readonly rule: string; // e.g. "shop/web ingress[0]", or the id of an allow rule
}

/** A port by its name; the workload that serves says which number that is. Addresses have no named ports. */
export interface NamedService {
  readonly protocol: number;
  readonly name: string;
}

/** What is spoken: any of the intervals or named ports. */
export interface ServiceMatch {
  readonly intervals: readonly ServiceInterval[];
  readonly named: readonly NamedService[];
}

/**
 * One statement about traffic between `subjects`, the workloads that a policy governs, and `peers`, whoever is at the
 * other end. `pass` leaves the rest of the stage unasked and hands on to the next.
 */
export interface Entry {
  readonly rank: number; // the lowest rank that matches decides; entries of one rank share one action
  readonly subjects: EndSet;
  readonly peers: EndSet;
  readonly services: ServiceMatch;
  readonly action: "allow" | "deny" | "pass";
  readonly source: Source;
}

/** Workloads for which the stage denies whatever none of its entries matched. */
export interface Closure {
  readonly subjects: EndSet;
  readonly source: Source;
}

/**
 * A tier of policies that is asked as a whole. The entry with the lowest rank that matches decides; without a match the
 * stage denies the subjects it closes and passes all others on.
 */
export interface Stage {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly closures: readonly Closure[];
}

/**
 * The stages of one direction, in the order they are asked; whoever is passed on by all of them is allowed. `trial` is
 * asked beside `enforced` and for itself: what only the trial denies is `audited`.
 *
 *     enforced:  [Admin] -pass-> [NetworkPolicy] -pass-> [Baseline] -pass-> allowed
 *     trial:     [Staged] ----------------------------------------pass-> allowed
 */
export interface DirectionProgram {
  readonly enforced: readonly Stage[];
  readonly trial: readonly Stage[];
}

/**
 * The one form into which the neutral policy set and every foreign format compile. Egress is judged with the client as
 * subject, ingress with the server; traffic passes when both let it.
 */
export interface Program {
  readonly ingress: DirectionProgram;
  readonly egress: DirectionProgram;
  /** Whether policy is asked about a workload that speaks to itself. */
  readonly selfTraffic: "allowed" | "judged";
}

export type Direction = "ingress" | "egress";

export const ALL_SERVICE_MATCH: ServiceMatch = { intervals: [{ first: 0, last: (1 << 24) - 1 }], named: [] };

export const OPEN_DIRECTION: DirectionProgram = { enforced: [], trial: [] };
