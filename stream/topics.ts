import { FLOW_BUCKETS } from "../model/flow-bucket.js";
import type { Topic } from "./carrier.js";

/** More than any message of ours has: a policy set with its inventory is the largest. */
export const MOST_MESSAGE_BYTES = 8 * 1024 * 1024;

const DAY_MS = 24 * 60 * 60 * 1000;

/** How a topic is made; docs/kafka.md says the same in words. */
export interface TopicSettings {
  readonly partitions: number;
  /** "compacted" keeps the last message of each key for ever, a number of milliseconds keeps all that long. */
  readonly kept: "compacted" | number;
  /** Whose clock stamps the messages; the broker's where the difference to the sender's is what we look at. */
  readonly stampedBy: "sender" | "broker";
}

export const TOPICS: Readonly<Record<Topic, TopicSettings>> = {
  "portolan.flows": { partitions: FLOW_BUCKETS, kept: 3 * DAY_MS, stampedBy: "sender" },
  // One partition, so that a reader sees a consistent order over all keys.
  "portolan.inventory": { partitions: 1, kept: "compacted", stampedBy: "sender" },
  "portolan.policies": { partitions: 1, kept: "compacted", stampedBy: "sender" },
  "portolan.verdicts": { partitions: 4, kept: 7 * DAY_MS, stampedBy: "broker" },
  "portolan.sensors": { partitions: 1, kept: "compacted", stampedBy: "broker" },
  "portolan.dead-letters": { partitions: 1, kept: 14 * DAY_MS, stampedBy: "broker" },
};

/** The topic settings as Kafka names them; `copies` is the replication factor. */
export function kafkaTopicConfig({ kept, stampedBy }: TopicSettings, copies: number): Readonly<Record<string, string>> {
  return {
    "cleanup.policy": kept === "compacted" ? "compact" : "delete",
    ...(kept === "compacted" ? {} : { "retention.ms": String(kept) }),
    "message.timestamp.type": stampedBy === "broker" ? "LogAppendTime" : "CreateTime",
    "max.message.bytes": String(MOST_MESSAGE_BYTES),
    // With three copies a message counts as taken when two brokers have it, so that one may die at once.
    "min.insync.replicas": copies >= 3 ? "2" : "1",
  };
}
