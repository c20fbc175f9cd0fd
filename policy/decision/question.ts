/** Would pass; would be dropped; passes, but would be dropped if the policy were enforced. */
export type Verdict = "allowed" | "denied" | "audited";

/**
 * One end of traffic. A workload is reached at `address`, else at the first of its addresses that fits the other end's
 * family; an address alone is whatever the inventory has there.
 */
export type QueryEnd =
  | { readonly kind: "workload"; readonly id: string; readonly address?: string }
  | { readonly kind: "address"; readonly address: string };

/** May `client` open a flow to `server`? For ICMP `port` is the type. */
export interface Query {
  readonly client: QueryEnd;
  readonly server: QueryEnd;
  readonly protocol: number; // IP protocol number
  readonly port: number;
  readonly icmpCode?: number; // 0 when absent
}

/** What one end says, and why. */
export interface EndDecision {
  readonly verdict: Verdict;
  readonly rules: readonly string[]; // the rules that decided, sorted; empty when none matched
  readonly policies: readonly string[]; // the policies that decided, also those that deny by isolation; sorted
  readonly reason: string; // one sentence
}

/** Egress is judged at the client, ingress at the server; the stricter counts. */
export interface Decision {
  readonly verdict: Verdict;
  readonly egress: EndDecision;
  readonly ingress: EndDecision;
  readonly rules: readonly string[]; // of both ends, sorted
}
