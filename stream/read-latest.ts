import { randomUUID } from "node:crypto";
import type { Carrier, Message, Topic } from "./carrier.js";

/**
 * What each key of a compacted topic of one partition says now. It sends the tombstone of a key that nobody has, which is
 * how it knows that it has come to the end.
 */
export async function readLatest(carrier: Carrier, topic: Topic): Promise<ReadonlyMap<string, Message>> {
  const mark = `@mark/${randomUUID()}`;
  const latest = new Map<string, Message>();
  let reached = () => {};
  const ended = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const subscription = await carrier.subscribe(topic, {
    positions: async () => new Map(),
    async handle(message) {
      if (message.key === mark) reached();
      else if (message.value.length === 0) latest.delete(message.key);
      else latest.set(message.key, message);
    },
  });
  try {
    await carrier.send(topic, { key: mark, value: new Uint8Array(0), headers: {} });
    await ended;
  } finally {
    await subscription.close();
  }
  return latest;
}
