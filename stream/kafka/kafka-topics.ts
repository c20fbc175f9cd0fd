import type { Topic } from "../carrier.js";
import { StreamError } from "../stream-error.js";
import { kafkaTopicConfig, TOPICS } from "../topics.js";
import type { KafkaClient, TopicDescription } from "./client.js";

const MOST_COPIES = 3;

/** How a topic that was there differs from what it should be, one line each. */
function differences(name: string, topic: Topic, found: TopicDescription, copies: number): string[] {
  const { partitions } = TOPICS[topic];
  const lines: string[] = [];
  const compare = (setting: string, wanted: string, is: string | undefined) => {
    if (is !== wanted) lines.push(`Topic "${name}" has ${setting} ${is ?? "unknown"}, wanted ${wanted}; left as it is`);
  };
  compare("partitions", String(partitions), String(found.partitions));
  for (const [setting, wanted] of Object.entries(kafkaTopicConfig(TOPICS[topic], copies))) {
    // An operator may well keep more copies in step than we would; fewer is theirs to decide too, but not in silence.
    if (setting === "min.insync.replicas" && Number(found.config.get(setting)) > Number(wanted)) continue;
    compare(setting, wanted, found.config.get(setting));
  }
  return lines;
}

/**
 * Sees to it that topics are there before they are used: one that is missing is made, one that has other settings is
 * reported once and left as it is, since somebody may have meant it.
 */
export class KafkaTopics {
  private readonly ready = new Map<Topic, Promise<string>>();
  private readonly said = new Set<string>();

  constructor(
    private readonly client: KafkaClient,
    private readonly prefix: string,
    private readonly copies: number | undefined,
    private readonly say: (level: "info" | "warn" | "error", line: string) => void,
  ) {}

  /** Resolves with the topic's name on the broker. @throws {StreamError} */
  prepare(topic: Topic): Promise<string> {
    let ready = this.ready.get(topic);
    if (ready === undefined) {
      ready = this.make(topic);
      this.ready.set(topic, ready);
      ready.catch(() => this.ready.delete(topic));
    }
    return ready;
  }

  /** Looks again before the next use: the topic may have been deleted. */
  forget(topic: Topic): void {
    this.ready.delete(topic);
  }

  private sayOnce(level: "info" | "warn", line: string): void {
    if (!this.said.has(line)) this.say(level, line);
    this.said.add(line);
  }

  private async make(topic: Topic): Promise<string> {
    const name = this.prefix + topic;
    const copies = this.copies ?? Math.min(MOST_COPIES, await this.client.brokerCount());
    let found = await this.client.describeTopic(name);
    if (found === undefined) {
      const { partitions } = TOPICS[topic];
      const isMade = await this.client.createTopic(name, partitions, copies, kafkaTopicConfig(TOPICS[topic], copies));
      if (isMade) {
        this.sayOnce("info", `Topic "${name}" made with ${partitions} partitions and replication factor ${copies}`);
        return name;
      }
      found = await this.client.describeTopic(name); // another of us was quicker
    }
    if (found === undefined) throw new StreamError("failed", `Topic "${name}" came and went`, true);
    for (const line of differences(name, topic, found, copies)) this.sayOnce("warn", line);
    return name;
  }
}
