import type { Message, Topic } from "../carrier.js";
import { StreamError } from "../stream-error.js";
import { MOST_MESSAGE_BYTES } from "../topics.js";
import type { ClientProducer } from "./client.js";

/** What a request holds at most, before compression, unless one message alone is larger: Kafka bounds the sum. */
const REQUEST_BYTES = 4 * 1024 * 1024;

interface Pending {
  readonly topic: Topic;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: StreamError) => void;
}

function bytesOf({ key, value, headers }: Message): number {
  let bytes = 64 + 3 * key.length + value.length;
  for (const [name, text] of Object.entries(headers)) bytes += 8 + 3 * (name.length + text.length);
  return bytes;
}

/**
 * Sends one request after the other, each with all that waits for its topic up to 4 MiB: in order, and the more at
 * once the slower the broker is. After a failure the producer is thrown away. An idempotent producer that fails takes
 * its sequence numbers back, though the broker may have stored the messages after all; the next ones would come under
 * numbers it knows, and be dropped in silence.
 */
export class SendQueue {
  private readonly pending: Pending[] = [];
  private pumping: Promise<void> = Promise.resolve();
  private isPumping = false;
  private producer: ClientProducer | undefined;
  private isClosed = false;

  constructor(
    private readonly connect: () => Promise<ClientProducer>,
    private readonly topics: {
      prepare(topic: Topic): Promise<string>; // makes it where it is missing, resolves with its full name
      forget(topic: Topic): void;
    },
  ) {}

  send(topic: Topic, messages: readonly Message[]): Promise<void> {
    if (this.isClosed) {
      return Promise.reject(new StreamError("closed", `Cannot send to "${topic}": the carrier is closed`, false));
    }
    const sizes = messages.map(bytesOf);
    const largest = Math.max(0, ...sizes);
    if (largest > MOST_MESSAGE_BYTES) {
      const what = `Cannot send to "${topic}": a message has ${largest} bytes; wanted at most ${MOST_MESSAGE_BYTES}`;
      return Promise.reject(new StreamError("too-large", what, false));
    }
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes > REQUEST_BYTES && messages.length > 1) {
      const half = messages.length >> 1;
      const parts = [messages.slice(0, half), messages.slice(half)];
      return Promise.all(parts.map((part) => this.send(topic, part))).then(() => {});
    }
    return new Promise((resolve, reject) => {
      this.pending.push({ topic, messages, bytes, resolve, reject });
      if (this.isPumping) return;
      this.isPumping = true;
      this.pumping = this.pump();
    });
  }

  /** What goes into the next request: the first, and what follows for the same topic. */
  private take(): Pending[] {
    const taken: Pending[] = [];
    let bytes = 0;
    for (let next = this.pending[0]; next !== undefined; next = this.pending[0]) {
      const isOther = taken.length > 0 && (next.topic !== taken[0]?.topic || bytes + next.bytes > REQUEST_BYTES);
      if (isOther) break;
      bytes += next.bytes;
      taken.push(next);
      this.pending.shift();
    }
    return taken;
  }

  private async pump(): Promise<void> {
    await Promise.resolve(); // what is sent in the same turn goes in the same request
    for (let some = this.take(); some.length > 0; some = this.take()) {
      try {
        const name = await this.topics.prepare((some[0] as Pending).topic);
        this.producer ??= await this.connect();
        await this.producer.send(
          name,
          some.flatMap(({ messages }) => messages),
        );
        for (const { resolve } of some) resolve();
      } catch (error) {
        this.topics.forget((some[0] as Pending).topic);
        const gone = this.producer;
        this.producer = undefined;
        // Those behind it were sent after it, and must not arrive before it.
        const behind = this.pending.filter(({ topic }) => topic === some[0]?.topic);
        for (const each of behind) this.pending.splice(this.pending.indexOf(each), 1);
        for (const { reject } of [...some, ...behind]) reject(error as StreamError);
        await gone?.close();
      }
    }
    this.isPumping = false; // in the same turn as the last look at what is pending
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.pumping;
    await this.producer?.close();
  }
}
