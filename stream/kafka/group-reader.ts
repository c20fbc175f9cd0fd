import type { Consumption, Loss, Position, ReceivedMessage, Topic } from "../carrier.js";
import { FAULT_HEADER } from "../dead-letters.js";
import { insist } from "../insist.js";
import type { FetchedRecord, GroupHooks } from "./client.js";

const NOTHING: Position = new Map();
const EMPTY = new Uint8Array(0);

function received(topic: Topic, partition: number, record: FetchedRecord): ReceivedMessage {
  const { offset, timestampMs, stampedBy, key, value, headers, unreadable } = record;
  return {
    topic,
    partition,
    offset,
    timestampMs,
    stampedBy,
    key: key?.toString() ?? "",
    value: value ?? EMPTY,
    headers: unreadable === undefined ? headers : { ...headers, [FAULT_HEADER]: unreadable.code },
  };
}

/**
 * One subscriber's side of a group: holds the partitions it has, gives it one message at a time, and lets nothing of an
 * old assignment go on once the group changes.
 */
export class GroupReader implements GroupHooks {
  private readonly closing = new AbortController();
  private change = new AbortController(); // aborted when the present assignment is about to end
  private source = "";
  private partitions: readonly number[] = [];
  private readonly next = new Map<number, bigint>();
  private readonly inHand = new Set<Promise<unknown>>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly topic: Topic,
    private readonly consumption: Consumption,
  ) {}

  readonly changing = (): void => this.change.abort();

  readonly leaving = async (): Promise<Position> => {
    this.change.abort();
    await Promise.allSettled(this.inHand);
    const { partitions } = this;
    this.partitions = [];
    if (partitions.length === 0 || this.consumption.group === undefined) return NOTHING;
    const { onRevoked } = this.consumption;
    // Until it succeeds or the subscriber closes: a new owner would read what was not made durable, but not lose it.
    if (onRevoked !== undefined)
      return (await insist(() => onRevoked(partitions), this.closing.signal))?.value ?? NOTHING;
    return new Map(Array.from(this.next).filter(([partition]) => partitions.includes(partition)));
  };

  readonly joined = async (source: string, partitions: readonly number[]): Promise<Position> => {
    this.change = new AbortController();
    if (this.closing.signal.aborted) this.change.abort();
    this.source = source;
    this.next.clear();
    const asked = await insist(() => this.consumption.positions(source, partitions), this.closing.signal);
    this.partitions = partitions;
    return new Map(Array.from(asked?.value ?? NOTHING).filter(([partition]) => partitions.includes(partition)));
  };

  readonly outOfRange = async (partition: number, from: bigint, earliest: bigint): Promise<bigint> => {
    const loss: Loss = { source: this.source, partition, from, until: earliest };
    await insist(async () => this.consumption.onLost?.(loss), this.closing.signal);
    return earliest;
  };

  readonly record = (partition: number, record: FetchedRecord): Promise<boolean> => {
    const handled = this.handle(partition, record);
    this.inHand.add(handled);
    return handled.finally(() => this.inHand.delete(handled));
  };

  private async handle(partition: number, record: FetchedRecord): Promise<boolean> {
    const { signal } = this.change;
    if (!this.partitions.includes(partition)) return false;
    const message = received(this.topic, partition, record);
    const done = await insist(() => this.alone(() => this.consumption.handle(message)), signal);
    if (done !== undefined) this.next.set(partition, record.offset + 1n);
    return done !== undefined;
  }

  /** One after the other over all partitions; a failed attempt lets others go first. */
  private alone(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** Ends after the message in hand and resolves with what to commit. @throws what `onRevoked` throws */
  async close(): Promise<Position> {
    this.closing.abort();
    this.change.abort();
    await Promise.allSettled(this.inHand);
    const { partitions } = this;
    this.partitions = [];
    if (partitions.length === 0 || this.consumption.group === undefined) return NOTHING;
    return this.consumption.onRevoked?.(partitions) ?? new Map(this.next);
  }
}
