import { randomUUID } from "node:crypto";
import type { Carrier, Consumption, Subscription, Topic } from "../carrier.js";
import { StreamError } from "../stream-error.js";
import { GroupReader } from "./group-reader.js";
import { kafkaClient } from "./kafka-client.js";
import { type KafkaSettings, openSettings } from "./kafka-settings.js";
import { KafkaTopics } from "./kafka-topics.js";
import { SendQueue } from "./send-queue.js";

/**
 * A bucket goes to the partition of its number, so that few buckets spread evenly; any other key goes where its hash
 * says, the same as for every Kafka client.
 */
function partitionOf(key: string, partitions: number): number | undefined {
  return /^\d{1,9}$/.test(key) ? Number(key) % partitions : undefined;
}

/**
 * A carrier over a Kafka cluster. Resolves when the cluster answers and lets us in; later outages are survived.
 * @throws {StreamError} Also each `send`, `sendAll` and `subscribe` rejects with one.
 */
export async function kafkaCarrier(settings: KafkaSettings): Promise<Carrier> {
  const { prefix = "", say = () => {} } = settings;
  const client = kafkaClient(openSettings(settings));
  await client.brokerCount();
  const topics = new KafkaTopics(client, prefix, settings.replication, say);
  const queue = new SendQueue(() => client.producer(partitionOf), topics);
  const subscriptions = new Set<Subscription>();
  let isClosed = false;

  async function subscribe(topic: Topic, consumption: Consumption): Promise<Subscription> {
    if (isClosed) throw new StreamError("closed", `Cannot subscribe to "${topic}": the carrier is closed`, false);
    const reader = new GroupReader(topic, consumption);
    // Who shares with nobody is a group of one, which commits nothing and leaves nothing behind.
    const group = prefix + (consumption.group ?? `${settings.clientId}-${randomUUID()}`);
    const consumer = await client.consumer(await topics.prepare(topic), group, reader);
    const subscription: Subscription = {
      async close() {
        if (!subscriptions.delete(subscription)) return;
        try {
          await consumer.commit(await reader.close());
        } finally {
          await consumer.close();
        }
      },
    };
    subscriptions.add(subscription);
    return subscription;
  }

  return {
    send: (topic, message) => queue.send(topic, [message]),
    sendAll: (topic, messages) => queue.send(topic, messages),
    subscribe,
    async close() {
      isClosed = true;
      await Promise.all(Array.from(subscriptions, (subscription) => subscription.close()));
      await queue.close();
    },
  };
}
