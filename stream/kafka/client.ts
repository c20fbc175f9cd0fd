/** What the carrier needs of a Kafka client, in our own words; kafka-client.ts makes it of kafkajs. */
import type { Message, Position } from "../carrier.js";
import type { LogRecord } from "./record-batch.js";

/** Of a batch nobody could read: the code, and why in words. */
export interface Unreadable {
  readonly code: string;
  readonly why: string;
}

/** A record as the consumer gets it; `unreadable` where it stands for a whole batch, whose bytes are its value. */
export interface FetchedRecord extends LogRecord {
  readonly unreadable?: Unreadable;
}

/** What a member of a group decides; all are awaited before the group goes on. */
export interface GroupHooks {
  /** All partitions are about to leave; the answer is committed for the next owners. */
  readonly leaving: () => Promise<Position>;
  /** These have come; the answer says where to begin, the rest begins where the group last committed. */
  readonly joined: (source: string, partitions: readonly number[]) => Promise<Position>;
  /** Nothing stands at `from`; `earliest` is the first offset kept. Reading goes on at the answer. */
  readonly outOfRange: (partition: number, from: bigint, earliest: bigint) => Promise<bigint>;
  /** Resolves with whether the record was handled; when not, the rest is fetched again. */
  readonly record: (partition: number, record: FetchedRecord) => Promise<boolean>;
  /** The group is about to change, or a heartbeat says so: `record` should come to an end. */
  readonly changing: () => void;
}

export interface ClientConsumer {
  commit(position: Position): Promise<void>;
  close(): Promise<void>;
}

export interface ClientProducer {
  /** Resolves when every partition concerned has acknowledged. After a rejection the producer must be closed. */
  send(topic: string, messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicDescription {
  readonly partitions: number;
  readonly config: ReadonlyMap<string, string>;
}

export interface KafkaClient {
  /** @throws {StreamError} */
  producer(partitionOf: (key: string, partitions: number) => number | undefined): Promise<ClientProducer>;
  /** @throws {StreamError} */
  consumer(topic: string, group: string, hooks: GroupHooks): Promise<ClientConsumer>;
  brokerCount(): Promise<number>;
  /** Undefined where there is no such topic. @throws {StreamError} */
  describeTopic(topic: string): Promise<TopicDescription | undefined>;
  /** False where it was there already. @throws {StreamError} */
  createTopic(
    topic: string,
    partitions: number,
    copies: number,
    config: Readonly<Record<string, string>>,
  ): Promise<boolean>;
  close(): Promise<void>;
}
