/** The topics of the house; see the table in ARCHITECTURE.md. */
export type Topic =
  | "portolan.flows"
  | "portolan.inventory"
  | "portolan.policies"
  | "portolan.verdicts"
  | "portolan.sensors"
  | "portolan.dead-letters";

/** What travels: one message is one self-describing batch or document. */
export interface Message {
  readonly key: string; // messages of one key stay in order and meet in one partition
  readonly value: Uint8Array; // empty: a tombstone, which on a compacted topic takes back what the key had
  readonly headers: Readonly<Record<string, string>>;
}

/** Whose clock tells a message's time: the carrier's, when it took it, where the topic says so; else the sender's. */
export type StampedBy = "carrier" | "sender";

/** A message with the place it came from; `offset` grows by at least 1 per message within a partition. */
export interface ReceivedMessage extends Message {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly stampedBy: StampedBy;
}

/** Where a consumer stands: per partition the next offset it wants. */
export type Position = ReadonlyMap<number, bigint>;

/**
 * Messages that were wanted and are no longer kept: [from, until), after which reading goes on at `until`. Where
 * `until` is below `from` the carrier has lost the end of its log (an unclean failover): reading starts again at the
 * earliest message, since nobody can tell which offsets were given out twice.
 */
export interface Loss {
  readonly source: string;
  readonly partition: number;
  readonly from: bigint;
  readonly until: bigint;
}

/** How a subscriber reads. A callback that rejects is asked again after a pause, with the same arguments. */
export interface Consumption {
  /** Members of one group share the partitions; a subscriber without a group reads them all. */
  readonly group?: string;
  /**
   * Asked at each assignment of partitions. `source` names the log for ever: an offset noted under another source means
   * nothing here. Partitions absent in the answer begin where the group last committed, else at the earliest message.
   */
  readonly positions: (source: string, partitions: readonly number[]) => Promise<Position>;
  /** Awaited before the next message comes, of whichever partition: that is the back-pressure. */
  readonly handle: (message: ReceivedMessage) => Promise<void>;
  /**
   * These partitions leave this member of a group (to another one, or because it closes): make durable what must be,
   * then tell the positions reached. They are a hint for the next owner, who may know better. No message of these
   * partitions is being handled meanwhile.
   */
  readonly onRevoked?: (partitions: readonly number[]) => Promise<Position>;
  /** Awaited before the message after the gap. */
  readonly onLost?: (loss: Loss) => Promise<void>;
}

export interface Subscription {
  /** Stops after the message in hand; resolves when the handler has returned. */
  close(): Promise<void>;
}

/** Carries messages between the parts. */
export interface Carrier {
  /** Resolves when the carrier has the message for good. */
  send(topic: Topic, message: Message): Promise<void>;
  /** The same for several, in their order, in one request where the carrier can. Rejects when any may be missing. */
  sendAll(topic: Topic, messages: readonly Message[]): Promise<void>;
  /** Resolves when the carrier knows the subscriber; partitions may be assigned later. */
  subscribe(topic: Topic, consumption: Consumption): Promise<Subscription>;
  close(): Promise<void>;
}
