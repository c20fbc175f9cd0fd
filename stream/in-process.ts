import { randomUUID } from "node:crypto";
import type { Carrier, Consumption, Message, ReceivedMessage, Subscription, Topic } from "./carrier.js";
import { insist } from "./insist.js";
import { StreamError } from "./stream-error.js";

/** The one partition of each topic. */
const PARTITION = 0;

/** One reader of a topic: its place, and the way to wake it when there is more. */
interface Reader {
  readonly consumption: Consumption;
  readonly stop: AbortController;
  next: bigint;
  wake: () => void;
  reading?: Promise<void>; // while it has the partition
}

/** The messages of one topic that some reader still wants; `first` is the offset of `messages[0]`. */
interface Log {
  first: bigint;
  readonly messages: { readonly message: Message; readonly timestampMs: number }[];
  readonly readers: Set<Reader>; // those that have the partition
  readonly waitingForRoom: (() => void)[];
  /** Per group: who holds the partition, then who waits for it; and where the group last was. */
  readonly members: Map<string, Reader[]>;
  readonly committed: Map<string, bigint>;
}

/**
 * A carrier inside one process: one partition a topic, bounded, nothing on disk. A message is held until every
 * subscriber has handled it (the first one, while there is none), and `send` waits while `capacity` messages are held,
 * so that a slow analyzer slows the collector instead of filling the memory. Of a group, one member at a time reads.
 */
export function inProcessCarrier(capacity = 64, now: () => number = Date.now): Carrier {
  const source = `in-process/${randomUUID()}`; // its offsets die with it
  const logs = new Map<Topic, Log>();
  const subscriptions = new Set<Subscription>();
  let isClosed = false;

  function logOf(topic: Topic): Log {
    let log = logs.get(topic);
    if (log === undefined) {
      log = {
        first: 0n,
        messages: [],
        readers: new Set(),
        waitingForRoom: [],
        members: new Map(),
        committed: new Map(),
      };
      logs.set(topic, log);
    }
    return log;
  }

  function trim(log: Log): void {
    if (log.readers.size === 0) return;
    let wanted = log.first + BigInt(log.messages.length);
    for (const reader of log.readers) if (reader.next < wanted) wanted = reader.next;
    log.messages.splice(0, Number(wanted - log.first));
    log.first = wanted;
    while (log.messages.length < capacity && log.waitingForRoom.length > 0) log.waitingForRoom.shift()?.();
  }

  async function send(topic: Topic, message: Message): Promise<void> {
    const log = logOf(topic);
    // Nobody reads these here, and a log that nobody reads would fill up and stop the reader it speaks of.
    if (topic === "portolan.dead-letters" && log.readers.size === 0) return;
    while (log.messages.length >= capacity && !isClosed) {
      await new Promise<void>((resolve) => log.waitingForRoom.push(resolve));
    }
    if (isClosed) throw new StreamError("closed", `Cannot send to "${topic}": the carrier is closed`, false);
    log.messages.push({ message, timestampMs: now() });
    for (const reader of log.readers) reader.wake();
  }

  /** Gives the partition to a reader: finds its place, and tells it what is gone. */
  async function assign(log: Log, reader: Reader): Promise<void> {
    const { consumption, stop } = reader;
    reader.next = log.first;
    log.readers.add(reader); // from here on nothing is trimmed before it knows its place
    const asked = await insist(() => consumption.positions(source, [PARTITION]), stop.signal);
    const from = asked?.value.get(PARTITION) ?? log.committed.get(consumption.group ?? "") ?? log.first;
    const end = log.first + BigInt(log.messages.length);
    const until = from < log.first || from > end ? log.first : from;
    if (until !== from) {
      await insist(async () => consumption.onLost?.({ source, partition: PARTITION, from, until }), stop.signal);
    }
    reader.next = until;
    trim(log);
  }

  async function read(topic: Topic, log: Log, reader: Reader): Promise<void> {
    await assign(log, reader);
    while (!reader.stop.signal.aborted) {
      const held = log.messages[Number(reader.next - log.first)];
      if (held === undefined) {
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
        continue;
      }
      const { message, timestampMs } = held;
      const place = { topic, partition: PARTITION, offset: reader.next };
      const received: ReceivedMessage = { ...message, ...place, timestampMs, stampedBy: "carrier" };
      if ((await insist(() => reader.consumption.handle(received), reader.stop.signal)) === undefined) continue;
      reader.next += 1n;
      trim(log);
    }
  }

  /** Takes the partition from a member of a group that closes, notes where the group was, and gives it to the next. */
  async function handOver(topic: Topic, log: Log, group: string, reader: Reader): Promise<void> {
    const members = log.members.get(group) ?? [];
    const hadIt = members[0] === reader;
    try {
      const reached = hadIt ? await reader.consumption.onRevoked?.([PARTITION]) : undefined;
      if (hadIt) log.committed.set(group, reached?.get(PARTITION) ?? reader.next);
    } finally {
      members.splice(members.indexOf(reader), 1);
      const [next] = members;
      if (hadIt && next !== undefined) next.reading = read(topic, log, next);
    }
  }

  async function subscribe(topic: Topic, consumption: Consumption): Promise<Subscription> {
    if (isClosed) throw new StreamError("closed", `Cannot subscribe to "${topic}": the carrier is closed`, false);
    const log = logOf(topic);
    const { group } = consumption;
    const reader: Reader = { consumption, stop: new AbortController(), next: log.first, wake: () => {} };
    reader.stop.signal.addEventListener("abort", () => reader.wake());
    const members = group === undefined ? [] : (log.members.get(group) ?? []);
    if (group !== undefined) log.members.set(group, members);
    if (members.push(reader) === 1) reader.reading = read(topic, log, reader);
    const subscription = {
      async close() {
        if (!subscriptions.delete(subscription)) return;
        reader.stop.abort();
        await reader.reading;
        log.readers.delete(reader);
        if (group !== undefined) await handOver(topic, log, group, reader);
        trim(log);
      },
    };
    subscriptions.add(subscription);
    return subscription;
  }

  return {
    send,
    async sendAll(topic, messages) {
      for (const message of messages) await send(topic, message);
    },
    subscribe,
    async close() {
      isClosed = true;
      for (const log of logs.values()) for (const resolve of log.waitingForRoom.splice(0)) resolve();
      await Promise.all(Array.from(subscriptions, (subscription) => subscription.close()));
    },
  };
}
