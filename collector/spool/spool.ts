import { mkdirSync, readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { BatchOrigin } from "../../model/flow-batch.js";
import { encodeFlowLoss, FLOW_LOSS_SCHEMA, type FlowLoss } from "../../model/flow-loss.js";
import type { Message } from "../../stream/carrier.js";
import { ownFolder } from "../../stream/folder-owner.js";
import { batchMessage } from "../batch-sink.js";
import type { BatchSummary, EncodedBatch } from "../encoded-batch.js";
import { LostRanges } from "./lost-ranges.js";
import { Segment } from "./segment.js";
import { SpoolError } from "./spool-error.js";
import { type BatchHead, batchHead, encodeRecord, type SpoolHead, scanRecord } from "./spool-record.js";

export interface SpoolOptions {
  readonly folder: string; // made when it is not there
  readonly limitBytes: number; // on disk; what does not fit pushes out the oldest
  readonly nowMs?: () => number;
}

export interface SpoolStatus {
  readonly bytes: number; // on disk
  readonly batches: number; // not acknowledged
  readonly oldestUs: number | undefined; // when the oldest of them was made
  readonly lostBatches: number; // since it was opened
  readonly lostFlows: number;
  readonly tornRecords: number; // the last words of processes that died, found when it was opened
  readonly damagedRecords: number; // that were not read back as they were written
  readonly fault: string | undefined; // why the disk takes nothing now
}

/** Messages that go together, in order. Hand them back to `acknowledge`. */
export interface Flight {
  readonly messages: readonly Message[];
  readonly batches: readonly BatchHead[]; // among them
  readonly losses: readonly FlowLoss[]; // that the others tell of
  readonly end: number;
}

const SEGMENT_NAME = /^(\d{10})\.spool$/;
const LARGEST_SEGMENT = 4 << 20;
const SEGMENTS_WANTED = 16; // of a full spool: what is dropped at once is a sixteenth of it
const SPENT_BYTES = 256 << 10; // a segment that is sent to its end is left behind from this length on
const FLIGHT_BYTES = 768 << 10; // a broker takes 1 MiB by default
const FLIGHT_MESSAGES = 64;
/** Held in memory while the disk takes nothing, so that a short trouble of a host whose broker is there costs nothing. */
const MEMORY_BYTES = 8 << 20;
const HEAD_BYTES = 1024; // of a record, rounded up
const RETRY_DISK_MS = 1000;
const SYNC_EVERY_MS = 1000;
/** Streams whose next sequence is remembered across segments. */
const MOST_STREAMS = 1024;

const streamKey = (collector: string, boot: string, bucket: number) => JSON.stringify([collector, boot, bucket]);

/**
 * Batches that wait on disk for the broker, in order.
 *
 *     0000000007.spool   being sent: never dropped, since the broker may have some of it
 *     0000000008.spool   the first to go when room is wanted
 *     ...
 *     0000000023.spool   being written
 *
 * A batch that was taken outlives the process, whatever ends it, since it is with the kernel; a failure of the power
 * costs at most the last second. What was sent and not acknowledged is sent again, also after a crash, so it may arrive twice.
 */
export class Spool {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #segmentBytes: number;
  readonly #nowMs: () => number;
  readonly #release: () => void;
  readonly #segments: Segment[] = []; // the last one is being written
  readonly #next = new Map<string, number>();
  #losses = new LostRanges(); // that the broker has not been told of
  #isLossUnwritten = false;
  #lastNumber = 0;
  #retryDiskAtMs = 0;
  #fault: string | undefined;
  #lostBatches = 0;
  #lostFlows = 0;
  #tornRecords = 0;
  #damagedRecords = 0;
  #wasClean = true;
  #changed = () => {};
  #change: Promise<void> | undefined;
  readonly #syncTimer: NodeJS.Timeout;

  /** @throws {SpoolError} If the folder cannot be used, or another process uses it. */
  static open(options: SpoolOptions): Spool {
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      const owner = ownFolder(options.folder);
      if ("takenBy" in owner) {
        const wanted = `wanted a folder that no other process uses, process ${owner.takenBy} does`;
        throw new SpoolError("in-use", `Cannot open spool "${options.folder}": ${wanted}`);
      }
      return new Spool(options, owner.release);
    } catch (error) {
      if (error instanceof SpoolError || !(error instanceof Error && "code" in error)) throw error;
      throw new SpoolError("failed", `Cannot open spool "${options.folder}": ${error.message}`, { cause: error });
    }
  }

  private constructor(options: SpoolOptions, release: () => void) {
    this.#folder = options.folder;
    this.#limitBytes = options.limitBytes;
    this.#segmentBytes = Math.min(LARGEST_SEGMENT, Math.ceil(options.limitBytes / SEGMENTS_WANTED));
    this.#nowMs = options.nowMs ?? Date.now;
    this.#release = release;
    this.#recover();
    this.#tryBegin();
    this.#syncTimer = setInterval(() => void this.sync(), SYNC_EVERY_MS).unref();
  }

  /** Whether the last process that used it ended in good order; also where none did before. */
  get wasClean(): boolean {
    return this.#wasClean;
  }

  #recover(): void {
    const found = readdirSync(this.#folder)
      .map((name) => SEGMENT_NAME.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .sort();
    const dropped = new Set<number>();
    for (const digits of found) {
      const path = join(this.#folder, `${digits}.spool`);
      const segment = Segment.open(path, Number(digits), statSync(path).size);
      this.#segments.push(segment);
      this.#wasClean = false;
      const bytes = segment.read(0);
      for (let at = 0; at < bytes.length; ) {
        const scanned = scanRecord(bytes, at);
        if (scanned.kind === "torn") {
          this.#tornRecords++;
          break;
        }
        at = scanned.end;
        if (scanned.kind === "noise") continue; // counted when it is sent
        this.#note(segment, scanned.head);
        this.#wasClean = scanned.head.kind === "end";
        if (scanned.head.kind === "loss") for (const number of scanned.head.dropped ?? []) dropped.add(number);
      }
      this.#lastNumber = segment.number;
    }
    for (const segment of this.#segments.filter(({ number }) => dropped.has(number))) {
      segment.remove();
      this.#segments.splice(this.#segments.indexOf(segment), 1);
    }
  }

  /** Takes into account what a record of `segment` says. */
  #note(segment: Segment, head: SpoolHead): void {
    switch (head.kind) {
      case "segment":
        for (const { collector, boot, bucket, sequence } of head.next) {
          this.#next.set(streamKey(collector, boot, bucket), sequence);
        }
        return;
      case "batch":
        segment.content.add({ ...head, origin: head }, "spool-full");
        segment.batches++;
        segment.flows += head.flows;
        segment.oldestUs ??= head.madeUs;
        if (head.isMadeAgain === true) this.#remember(head);
        return;
      case "loss":
        for (const loss of head.losses) this.#losses.addLoss(loss);
        return;
      case "end":
    }
  }

  #remember({ collector, boot, bucket, sequence }: BatchOrigin): void {
    const key = streamKey(collector, boot, bucket);
    this.#next.delete(key); // the latest come last
    this.#next.set(key, sequence + 1);
    if (this.#next.size <= MOST_STREAMS) return;
    const [oldest] = this.#next.keys();
    if (oldest !== undefined) this.#next.delete(oldest);
  }

  /**
   * The sequence from which on a stream wants its batches, where its source makes them again after a crash: those
   * before have been taken, and sent or counted as lost.
   */
  nextOf(collector: string, boot: string, bucket: number): number {
    return this.#next.get(streamKey(collector, boot, bucket)) ?? 0;
  }

  get #diskBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment.isFile ? segment.length : 0), 0);
  }

  /** Whether this batch would push out others. */
  isFullFor(batch: EncodedBatch): boolean {
    return this.#excessFor(batch) > 0 && this.#segments.length > 2;
  }

  #excessFor(batch: EncodedBatch): number {
    return this.#diskBytes + batch.bytes.length + HEAD_BYTES - this.#limitBytes;
  }

  /**
   * Puts a batch at the end. Never fails: where there is no room the oldest batches give way, and where the disk takes
   * nothing, and memory is used up, the batch itself is lost; both are counted and told.
   * @param isMadeAgain whether its source makes it again, the same, after a crash; see `nextOf`
   */
  take(batch: EncodedBatch, isMadeAgain = false): void {
    const head = batchHead(batch, this.#nowMs() * 1000, isMadeAgain);
    const record = encodeRecord(head, batch.bytes);
    this.#makeRoomFor(batch);
    this.#writeLosses();
    const segment = this.#write(record);
    if (segment !== undefined) this.#note(segment, head);
    else {
      if (isMadeAgain) this.#remember(batch.origin);
      this.lose(batch, "disk-full");
    }
    this.#wake();
  }

  /** Counts a batch that will never be sent. The loss is sent with the batches. */
  lose(batch: BatchSummary, reason: FlowLoss["reason"]): void {
    this.#losses.add(batch, reason);
    this.#isLossUnwritten = true;
    this.#lostBatches++;
    this.#lostFlows += batch.flows;
    this.#writeLosses();
  }

  #writeLosses(): void {
    if (!this.#isLossUnwritten) return;
    const record = encodeRecord({ kind: "loss", losses: this.#losses.all() });
    this.#isLossUnwritten = this.#write(record) === undefined;
  }

  /** Drops the oldest segments, except the one that is being sent, until a batch has room. */
  #makeRoomFor(batch: EncodedBatch): void {
    if (this.#fault !== undefined) return; // what goes would have to be written down first
    let excessBytes = this.#excessFor(batch);
    const victims: Segment[] = [];
    const losses = new LostRanges(this.#losses.all());
    for (const segment of this.#segments.slice(1, -1)) {
      if (excessBytes <= 0) break;
      victims.push(segment);
      for (const loss of segment.content.all()) losses.addLoss(loss);
      if (segment.isFile) excessBytes -= segment.length;
    }
    if (victims.length === 0) return;
    const dropped = victims.map(({ number }) => number);
    // Before the files go: a crash between must not hide the gap.
    if (this.#write(encodeRecord({ kind: "loss", losses: losses.all(), dropped })) === undefined) return;
    this.#losses = losses;
    for (const victim of victims) {
      this.#lostBatches += victim.batches;
      this.#lostFlows += victim.flows;
      this.#segments.splice(this.#segments.indexOf(victim), 1);
      victim.remove();
    }
  }

  /** @returns where it was written, undefined where neither disk nor memory has room */
  #write(record: Uint8Array): Segment | undefined {
    let active = this.#segments.at(-1);
    const isDue = active === undefined || !active.isFile || active.length + record.length > this.#segmentBytes;
    if (isDue && this.#nowMs() >= this.#retryDiskAtMs) active = this.#tryBegin() ?? active;
    if (active?.isFile === true && this.#fault === undefined) {
      try {
        active.append(record);
        return active;
      } catch (error) {
        this.#noteFault(error);
      }
    }
    if (active === undefined || active.isFile) {
      active = Segment.inMemory(++this.#lastNumber);
      this.#segments.push(active);
    }
    if (active.length + record.length > MEMORY_BYTES) return undefined;
    active.append(record);
    return active;
  }

  /** Begins the next segment on disk, if the disk takes it. */
  #tryBegin(): Segment | undefined {
    const number = this.#lastNumber + 1;
    const next = [...this.#next].map(([key, sequence]) => {
      const [collector, boot, bucket] = JSON.parse(key) as [string, string, number];
      return { collector, boot, bucket, sequence };
    });
    let segment: Segment | undefined;
    try {
      segment = Segment.create(join(this.#folder, `${String(number).padStart(10, "0")}.spool`), number);
      segment.append(encodeRecord({ kind: "segment", next }));
    } catch (error) {
      segment?.remove();
      this.#noteFault(error);
      return undefined;
    }
    this.#fault = undefined;
    this.#lastNumber = number;
    this.#segments.push(segment);
    return segment;
  }

  #noteFault(error: unknown): void {
    if (!(error instanceof Error && "code" in error)) throw error;
    this.#fault = error.message;
    this.#retryDiskAtMs = this.#nowMs() + RETRY_DISK_MS;
  }

  /** What is to be sent next; the same again until it is acknowledged. Undefined when everything is sent. */
  next(mostMessages = FLIGHT_MESSAGES): Flight | undefined {
    for (;;) {
      const segment = this.#segments[0];
      if (segment === undefined) return undefined;
      if (segment.readAt >= segment.length) {
        if (!this.#leave(segment)) return undefined;
        continue;
      }
      const flight = this.#flightOf(segment, mostMessages);
      if (flight.messages.length > 0) return flight;
      segment.readAt = flight.end;
    }
  }

  #flightOf(segment: Segment, mostMessages: number): Flight {
    const from = segment.readAt;
    const bytes = segment.read(from);
    const messages: Message[] = [];
    const batches: BatchHead[] = [];
    const losses: FlowLoss[] = [];
    let at = 0;
    while (at < bytes.length && at < FLIGHT_BYTES && messages.length < mostMessages) {
      const scanned = scanRecord(bytes, at);
      if (scanned.kind !== "record") {
        if (messages.length > 0) break; // what is whole goes first, and then we meet this again
        // Nothing is told of a torn record: the process that wrote it had not taken the batch when it died.
        at = scanned.kind === "torn" ? bytes.length : scanned.end;
        if (scanned.kind !== "torn") this.#damagedRecords++;
        if (scanned.kind === "damaged" && scanned.head.kind === "batch") this.#giveUp(segment, scanned.head, "damaged");
        continue;
      }
      at = scanned.end;
      const { head, body } = scanned;
      if (head.kind === "batch") {
        if (messages.length === 0) segment.oldestUs = head.madeUs;
        messages.push(batchMessage(head.bucket, body));
        batches.push(head);
      } else if (head.kind === "loss") {
        // A later record tells of those that have become longer since, and the broker knows of the rest.
        const wanted = head.losses.filter((loss) => this.#losses.has(loss));
        messages.push(...wanted.map(lossMessage));
        losses.push(...wanted);
      }
    }
    return { messages, batches, losses, end: from + at };
  }

  #giveUp(segment: Segment, head: BatchHead, reason: FlowLoss["reason"]): void {
    segment.batches--;
    segment.flows -= head.flows;
    this.lose({ ...head, origin: head }, reason);
  }

  /** The broker has what `next` gave. */
  acknowledge(flight: Flight): void {
    const segment = this.#segments[0];
    if (segment === undefined) return;
    segment.readAt = flight.end;
    segment.batches -= flight.batches.length;
    segment.flows -= flight.batches.reduce((sum, { flows }) => sum + flows, 0);
    for (const loss of flight.losses) this.#losses.forget(loss);
    if (segment.readAt >= segment.length) this.#leave(segment);
    this.#wake();
  }

  /** The broker will never take the only batch of this flight. */
  refuse(flight: Flight): void {
    const [segment] = this.#segments;
    const [head] = flight.batches;
    if (segment === undefined || head === undefined) return;
    this.#giveUp(segment, head, "refused");
    this.acknowledge({ ...flight, batches: [] });
  }

  /** Removes a segment that is sent to its end, unless it is still written; false in that case. */
  #leave(segment: Segment): boolean {
    const isWritten = segment === this.#segments.at(-1);
    if (isWritten && segment.isFile && (segment.length < SPENT_BYTES || this.#tryBegin() === undefined)) return false;
    this.#segments.shift();
    segment.remove();
    return true;
  }

  /** Resolves at the next batch that comes in or is acknowledged. */
  changed(): Promise<void> {
    this.#change ??= new Promise((resolve) => {
      this.#changed = resolve;
    });
    return this.#change;
  }

  #wake(): void {
    this.#change = undefined;
    this.#changed();
  }

  status(): SpoolStatus {
    const waiting = this.#segments.filter(({ batches }) => batches > 0);
    return {
      bytes: this.#diskBytes,
      batches: waiting.reduce((sum, { batches }) => sum + batches, 0),
      oldestUs: waiting[0]?.oldestUs,
      lostBatches: this.#lostBatches,
      lostFlows: this.#lostFlows,
      tornRecords: this.#tornRecords,
      damagedRecords: this.#damagedRecords,
      fault: this.#fault,
    };
  }

  /** Makes what was taken outlive a failure of the power. */
  async sync(): Promise<void> {
    try {
      await Promise.all(this.#segments.map((segment) => segment.sync()));
      const folder = await open(this.#folder);
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      this.#noteFault(error);
    }
  }

  /** Ends in good order; what was not sent is sent by the next process. */
  async close(): Promise<void> {
    clearInterval(this.#syncTimer);
    this.#writeLosses();
    const [only] = this.#segments;
    const isAllSent = this.#segments.length === 1 && only !== undefined && only.readAt >= only.length;
    if (isAllSent && this.#tryBegin() !== undefined) this.#leave(only); // else the next process would send it again
    this.#write(encodeRecord({ kind: "end" }));
    await this.sync();
    for (const segment of this.#segments) segment.close();
    this.#release();
  }
}

function lossMessage(loss: FlowLoss): Message {
  return { key: String(loss.bucket), value: encodeFlowLoss(loss), headers: { schema: FLOW_LOSS_SCHEMA } };
}
