import type { Peer } from "./peer.js";
import type { Service } from "./service.js";

/** One flow that was really seen, as an example behind a rule. */
export interface FlowSample {
  readonly client: string; // address
  readonly server: string;
  readonly protocol: string;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly startUs: number;
  readonly clientBytes: number;
  readonly serverBytes: number;
  readonly observer: string;
}

/** What was seen that this rule permits. */
export interface RuleEvidence {
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly windows: number; // hours with at least one answered flow
  readonly flows: number; // answered flows
  readonly clients: readonly string[]; // workload ids or group names seen as client, sorted
  readonly servers: readonly string[];
  readonly observers: readonly string[];
  readonly names: readonly string[]; // server names seen
  readonly samples: readonly FlowSample[]; // at most 5, earliest first
}

/** Something the rule permits beyond what was seen. */
export interface Widening {
  readonly kind: "role" | "ports" | "addresses" | "icmp" | "lifeline";
  readonly text: string; // one sentence a reviewer can judge
  readonly cells: number; // (client, server, service) combinations permitted and never seen
}

/** `clients` may open flows to `servers` for any of `services`; replies are always part of it. */
export interface AllowRule {
  readonly id: string; // stable, [a-z0-9-]+, unique in its policy set
  readonly client: Peer;
  readonly server: Peer;
  readonly services: readonly Service[]; // at least one, sorted
  readonly reason: string; // why the rule is there, one sentence
  readonly confidence: number; // 0..1, see discovery; 1 for rules written by a person
  readonly evidence?: RuleEvidence; // absent for rules nobody observed
  readonly widenings: readonly Widening[];
}
