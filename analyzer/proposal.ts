import type { PolicySet } from "../policy/policy-set.js";

export const PROPOSAL_VERSION = 1;

/** `not-enough-data` is an answer of its own, never rounded up to learning. */
export type ProposalState = "not-enough-data" | "learning" | "ready-for-review";

/** A conversation group that was seen and is not proposed, with the reason. */
export interface Exclusion {
  /** `housekeeping`: what a link needs to work at all (ND, IGMP, DHCP, ICMP errors); enforcement always permits it. */
  readonly kind: "unanswered" | "refused" | "scan" | "quarantine" | "direction" | "midstream" | "housekeeping";
  readonly client: string; // workload id, group name or address
  readonly server: string; // the same; "many" when a scan touched several
  readonly protocol: string;
  readonly ports: readonly number[]; // at most 20, sorted
  readonly flows: number;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly reason: string; // one sentence
}

/** One condition of readiness and how far it is met. */
export interface ReadinessGate {
  readonly name: string;
  readonly isMet: boolean;
  readonly value: string; // what was measured, for people
  readonly wanted: string;
}

/** How much of a sensor's view was lost; travels with every proposal it touches. */
export interface SensorGap {
  readonly collector: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly lost: number | "unknown"; // packets
  readonly lostFlows?: number | undefined; // where a collector counted the flows that it had and could not deliver
  readonly reason: string;
}

/** Workloads that are treated as one, because their labels or what they do say so. Members are workload ids, or addresses. */
export interface ProposedRole {
  readonly name: string; // unique in a proposal, e.g. "shop/web"
  readonly basis: "labels" | "profile" | "single";
  readonly members: readonly string[]; // sorted
}

/** A workload that no isolation selects, so that its traffic stays open until a person decides. */
export interface OpenWorkload {
  readonly workload: string; // id
  readonly reason: string; // one sentence
}

/** What discovery offers for review. This is the content of policy.json. */
export interface Proposal {
  readonly version: typeof PROPOSAL_VERSION;
  readonly state: ProposalState;
  readonly stateReason: string;
  readonly gates: readonly ReadinessGate[];
  readonly fromUs: number;
  readonly untilUs: number;
  readonly policySet: PolicySet;
  readonly roles: readonly ProposedRole[]; // sorted by name
  readonly openWorkloads: readonly OpenWorkload[]; // sorted by id
  readonly exclusions: readonly Exclusion[];
  readonly gaps: readonly SensorGap[];
}
