import { decodeFlowBatch } from "../../model/flow-batch-codec.js";
import { FLOW_LOSS_SCHEMA, parseFlowLoss } from "../../model/flow-loss.js";
import type { Carrier, Position, ReceivedMessage } from "../../stream/carrier.js";
import { type DeadLetterCounts, DeadLetters } from "../../stream/dead-letters.js";
import type { LogPartition, LogPosition } from "../store/intake.js";
import type { Delivery } from "./batch-buffer.js";

/** Where flow batches go: an analyzer. */
export interface FlowSink {
  /** Resolves when there is room for the next. */
  take(delivery: Delivery): Promise<void>;
  flush(): Promise<void>;
  positions(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]>;
  release(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]>;
}

export interface FollowOptions {
  /** Whether the log outlives this process, so that its positions are worth storing. */
  readonly isLasting: boolean;
  /** Analyzers of one group share the partitions; each has a store of its own. */
  readonly group?: string;
  /** Told of each message that nobody can read and that has been passed over. */
  readonly say?: (line: string) => void;
}

export interface FollowedFlows {
  /** Messages that nobody could read and that have been passed over. */
  damaged(): number;
  /** The same by reason. */
  deadLetters(): DeadLetterCounts;
  /** Takes no more messages, and stores what was taken. @throws {StoreError} */
  close(): Promise<void>;
  /** Handles what was sent before, by this process alone, and closes. @throws {StoreError} */
  drain(): Promise<void>;
}

const TOPIC = "portolan.flows";
/** Header of the message that marks the end for `drain`. */
const END_HEADER = "portolan-end";

function parse({ headers, value }: ReceivedMessage): Pick<Delivery, "batch" | "announced"> {
  return headers.schema === FLOW_LOSS_SCHEMA ? { announced: parseFlowLoss(value) } : { batch: decodeFlowBatch(value) };
}

/**
 * Feeds the flow batches of a carrier into a sink, each with the position behind it: what the sink has stored of a
 * partition is also where it goes on. The sink's waiting is the carrier's back-pressure. A message that is no flow batch is
 * put aside, counted and passed over, since it would be none the next time either.
 */
export async function followFlows(carrier: Carrier, sink: FlowSink, options: FollowOptions): Promise<FollowedFlows> {
  const letters = new DeadLetters(carrier, options.say);
  let end: { readonly reached: () => void; readonly failed: (error: unknown) => void } | undefined;
  const sources = new Map<number, string>(); // of the partitions that are ours now
  const partitionOf = (partition: number): LogPartition => ({
    source: sources.get(partition) ?? "",
    topic: TOPIC,
    partition,
  });
  const positionOf = (positions: readonly LogPosition[]): Position =>
    new Map(positions.map(({ partition, next }) => [partition, next]));

  const subscription = await carrier.subscribe(TOPIC, {
    ...(options.group === undefined ? {} : { group: options.group }),
    async positions(source, partitions) {
      for (const partition of partitions) sources.set(partition, source);
      return positionOf(await sink.positions(partitions.map(partitionOf)));
    },
    async handle(message) {
      if (message.headers[END_HEADER] !== undefined) {
        end?.reached();
        return;
      }
      const at = partitionOf(message.partition);
      const position = { ...at, next: message.offset + 1n, reachedUs: message.timestampMs * 1000 };
      const place = options.isLasting ? { position } : {};
      const readable = await letters.read(message, parse);
      try {
        await sink.take({ ...readable, ...place });
      } catch (error) {
        // The carrier brings the message again, except at the end, when somebody waits and must be told.
        end?.failed(error);
        throw error;
      }
    },
    async onRevoked(partitions) {
      const ours = partitions.map(partitionOf);
      // The next owner goes on where we stop. Alone in our group that is ourselves, and the store knows better.
      return positionOf(await (options.group === undefined ? sink.positions(ours) : sink.release(ours)));
    },
    async onLost({ source, partition, from, until }) {
      sources.set(partition, source);
      await sink.flush();
      await sink.take({ lost: { ...partitionOf(partition), from, until } });
      await sink.flush();
    },
  });
  return {
    damaged: () => letters.counts().total,
    deadLetters: () => letters.counts(),
    async close() {
      await subscription.close();
      await sink.flush();
    },
    async drain() {
      // What was sent before this message has been handled when it arrives.
      const ended = new Promise<void>((reached, failed) => {
        end = { reached, failed };
      });
      ended.catch(() => {});
      const mark = { key: "", value: new Uint8Array(0), headers: { [END_HEADER]: "1" } };
      // A full carrier may never take the mark while storing fails, and the failure has to come through all the same.
      const marked = carrier.send(TOPIC, mark).then(() => ended);
      try {
        await Promise.race([ended, marked]);
      } finally {
        await subscription.close();
      }
      await sink.flush();
    },
  };
}
