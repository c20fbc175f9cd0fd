/** Flows by how they ended. */
export interface OutcomeCounts {
  readonly answered: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly midstream: number;
}

/**
 * Who talked to whom about what: the five-tuple without the client's port. For ICMP the
 * `serverPort` is the ICMP type of the request.
 */
export interface ConversationKey {
  readonly client: string; // address, canonical text
  readonly server: string;
  readonly protocol: number;
  readonly serverPort: number;
  readonly scope: string; // see flow-scope.ts; "" is none
}

/** Both ends at the time of the window: a workload id, or the name of a group of addresses. */
export type EndIdentity =
  | { readonly kind: "workload"; readonly id: string }
  | { readonly kind: "group"; readonly name: string };

/** The durable fact of learning: one conversation in one window. Observers of the same flow are merged, not added. */
export interface ConversationWindow extends ConversationKey {
  readonly windowStartUs: number;
  readonly windowUs: number; // HOUR_US, or MINUTE_US in the live hour
  readonly flows: OutcomeCounts;
  readonly clientPackets: number;
  readonly serverPackets: number;
  readonly clientBytes: number; // IP bytes including headers
  readonly serverBytes: number;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly isDirectionCertain: boolean; // at least one flow had evidence that is an observation, see isCertain
  readonly observers: readonly string[]; // collectors, sorted
  readonly names: readonly string[]; // names of the server seen, sorted
  readonly clientIdentity: EndIdentity;
  readonly serverIdentity: EndIdentity;
}
