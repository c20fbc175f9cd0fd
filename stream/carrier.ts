/** The topics of the house; see the table in ARCHITECTURE.md. */
export type Topic =
  | "portolan.flows"
  | "portolan.inventory"
  | "portolan.policies"
  | "portolan.verdicts"
  | "portolan.sensors";

/** What travels: one message is one self-describing batch or document. */
export interface Message {
  readonly key: string; // messages of one key stay in order and meet in one partition
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message with the place it came from; `offset` grows by at least 1 per message within a partition. */
export interface ReceivedMessage extends Message {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: bigint;
}

/** Where a consumer stands: per partition the next offset it wants. */
export type Position = ReadonlyMap<number, bigint>;

export interface Subscription {
  /** Stops after the message in hand; resolves when the handler has returned. */
  close(): Promise<void>;
}

/**
 * Carries messages between the parts. A handler is awaited before the next message of its partition comes, which is
 * the back-pressure; when it throws, the same message comes again.
 */
export interface Carrier {
  /** Resolves when the carrier has the message for good. */
  send(topic: Topic, message: Message): Promise<void>;
  subscribe(topic: Topic, from: Position, handler: (message: ReceivedMessage) => Promise<void>): Promise<Subscription>;
  close(): Promise<void>;
}
