import type { Carrier, Message, ReceivedMessage } from "./carrier.js";
import { StreamError } from "./stream-error.js";
import { MOST_MESSAGE_BYTES } from "./topics.js";

/** Header of a message that its carrier could not read; its value is what stood in the log. */
export const FAULT_HEADER = "portolan-fault";

/** What is kept of a message at most: enough to see what it was. */
const KEPT_BYTES = 1024 * 1024;

/** A message that no reader will ever be able to read; `code` says in which way. */
export class PoisonError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "PoisonError";
  }
}

/** The message as it goes to `portolan.dead-letters`: its value, and in headers its place, the code and the reason. */
function deadLetter(message: ReceivedMessage, code: string, why: string): Message {
  const { topic, partition, offset, key, value } = message;
  return {
    key,
    value: value.subarray(0, KEPT_BYTES),
    headers: {
      "portolan-topic": topic,
      "portolan-partition": String(partition),
      "portolan-offset": String(offset),
      "portolan-bytes": String(value.length),
      "portolan-code": code,
      "portolan-reason": why.slice(0, 500),
    },
  };
}

export interface DeadLetterCounts {
  readonly byCode: Readonly<Record<string, number>>;
  readonly total: number;
  readonly unkept: number; // those among them that the dead-letter topic did not take
}

/**
 * Decides what becomes of messages that cannot be read: they are counted, kept aside with the reason, and passed over,
 * so that the reader goes on. What `read` makes of a message depends on that alone, so whatever it throws it would throw the
 * next time too; a string `code` of the error says in which way it failed.
 */
export class DeadLetters {
  private readonly byCode = new Map<string, number>();
  private unkept = 0;

  constructor(
    private readonly carrier: Carrier,
    private readonly say: (line: string) => void = () => {},
  ) {}

  counts(): DeadLetterCounts {
    const total = Array.from(this.byCode.values()).reduce((sum, count) => sum + count, 0);
    return { byCode: Object.fromEntries(Array.from(this.byCode).sort()), total, unkept: this.unkept };
  }

  /** What `read` makes of a message; undefined where it has been set aside. @throws where nothing can be set aside now */
  async read<T>(message: ReceivedMessage, read: (message: ReceivedMessage) => T): Promise<T | undefined> {
    try {
      const fault = message.headers[FAULT_HEADER];
      if (fault !== undefined) throw new PoisonError(fault, "Cannot read the batch in the log around this message");
      const { length } = message.value;
      if (length > MOST_MESSAGE_BYTES) {
        throw new PoisonError("oversized", `Cannot read ${length} bytes; wanted at most ${MOST_MESSAGE_BYTES}`);
      }
      return read(message);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      await this.setAside(message, code, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  private async setAside(message: ReceivedMessage, code: string, why: string): Promise<void> {
    let isKept = true;
    try {
      await this.carrier.send("portolan.dead-letters", deadLetter(message, code, why));
    } catch (error) {
      // A broker that is away comes back, and so does the message. One that will never take it must not stop us.
      if (!(error instanceof StreamError) || error.isRetriable || error.code === "closed") throw error;
      isKept = false;
    }
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
    if (!isKept) this.unkept++;
    const { topic, partition, offset } = message;
    this.say(`Message ${topic}/${partition}/${offset} was passed over (${code}): ${why}`);
  }
}
