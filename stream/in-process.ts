import type { Carrier, Message, Position, ReceivedMessage, Subscription, Topic } from "./carrier.js";

/** How often a handler that threw is given its message again before the next pause doubles, in milliseconds. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;

/** One reader of a topic: its place, and the way to wake it when there is more. */
interface Reader {
  next: bigint;
  wake: () => void;
  isClosed: boolean;
}

/** The messages of one topic that some reader still wants; `first` is the offset of `messages[0]`. */
interface Log {
  first: bigint;
  readonly messages: Message[];
  readonly readers: Set<Reader>;
  readonly waitingForRoom: (() => void)[];
}

/**
 * A carrier inside one process: one partition a topic, bounded, nothing on disk. A message is held until every
 * subscriber has handled it (the first one, while there is none), and `send` waits while `capacity` messages are held,
 * so that a slow analyzer slows the collector instead of filling the memory.
 */
export function inProcessCarrier(capacity = 64): Carrier {
  const logs = new Map<Topic, Log>();
  let isClosed = false;

  function logOf(topic: Topic): Log {
    let log = logs.get(topic);
    if (log === undefined) {
      log = { first: 0n, messages: [], readers: new Set(), waitingForRoom: [] };
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
    while (log.messages.length >= capacity && !isClosed) {
      await new Promise<void>((resolve) => log.waitingForRoom.push(resolve));
    }
    if (isClosed) throw new Error(`Cannot send to "${topic}": the carrier is closed`);
    log.messages.push(message);
    for (const reader of log.readers) reader.wake();
  }

  async function read(topic: Topic, log: Log, reader: Reader, handler: (message: ReceivedMessage) => Promise<void>) {
    let retryMs = FIRST_RETRY_MS;
    while (!reader.isClosed) {
      const message = log.messages[Number(reader.next - log.first)];
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
        continue;
      }
      try {
        await handler({ ...message, topic, partition: 0, offset: reader.next });
        reader.next += 1n;
        retryMs = FIRST_RETRY_MS;
        trim(log);
      } catch {
        // The handler has reported its own failure; what it needs from us is the same message again.
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
      }
    }
  }

  async function subscribe(
    topic: Topic,
    from: Position,
    handler: (message: ReceivedMessage) => Promise<void>,
  ): Promise<Subscription> {
    const log = logOf(topic);
    const wanted = from.get(0) ?? log.first;
    const reader: Reader = { next: wanted < log.first ? log.first : wanted, wake: () => {}, isClosed: false };
    log.readers.add(reader);
    const reading = read(topic, log, reader, handler);
    return {
      async close() {
        reader.isClosed = true;
        reader.wake();
        await reading;
        log.readers.delete(reader);
        trim(log);
      },
    };
  }

  return {
    send,
    subscribe,
    async close() {
      isClosed = true;
      for (const log of logs.values()) {
        for (const resolve of log.waitingForRoom.splice(0)) resolve();
        for (const reader of log.readers) {
          reader.isClosed = true;
          reader.wake();
        }
      }
    },
  };
}
