import { realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { ConversationKey } from "../../model/conversation.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";
import type { FlowSample } from "../../policy/allow-rule.js";
import type { DenialsSince, TrailPoint } from "../alerts/denial-sightings.js";
import type { AuditFigures } from "../audit/audit-figures.js";
import type { AuditDocument } from "../audit/audit-trail.js";
import type { SensorStatus, TimeSpan } from "../explorer.js";
import type { SensorGap } from "../proposal.js";
import type { Reattribution } from "./attribution.js";
import { Conversations, ConversationTexts } from "./conversations.js";
import type { DatabaseOptions } from "./database.js";
import { type EdgeActivity, edgeActivities } from "./edge-activity.js";
import type { AppendReport, Intake, LogPartition, LogPosition } from "./intake.js";
import { packBatches } from "./packed-batches.js";
import { StoreError } from "./store-error.js";
import type { StoreAnswer, StoreReply, StoreRequest } from "./store-protocol.js";
import { USUAL_THREADS } from "./usual-threads.js";

export interface StoreOptions {
  /** Database file, created when it is not there; ":memory:" keeps nothing. */
  readonly path: string;
  readonly memoryLimitMb?: number; // 1024 unless given
  readonly threads?: number; // unless given 2, or 1 where the process has one core
  /** Flow records that are kept for samples, merging and minute windows; beyond, the oldest hours keep only their windows. 5 million unless given. */
  readonly maxFlows?: number;
}

type Waiting = { readonly resolve: (answer: StoreAnswer) => void; readonly reject: (error: Error) => void };

/** DuckDB locks a file against other processes only, so a second store in this one is refused here. */
const openPaths = new Set<string>();

function lockName(path: string): string {
  try {
    return join(realpathSync(dirname(resolve(path))), resolve(path).slice(dirname(resolve(path)).length));
  } catch {
    return resolve(path);
  }
}

/** What was observed, kept in DuckDB in a thread of its own. All SQL stays behind these functions. */
export class Store {
  private readonly waiting = new Map<number, Waiting>();
  private readonly texts = new ConversationTexts();
  private nextId = 0;
  private isEnded = false;
  private closed: Promise<void> | undefined;
  private storedInventory: Inventory = EMPTY_INVENTORY;

  private constructor(
    private readonly worker: Worker,
    private readonly lock: string | undefined,
  ) {
    worker.on("message", (reply: StoreReply) => {
      const caller = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (this.waiting.size === 0) worker.unref();
      if ("error" in reply) caller?.reject(new StoreError(reply.error.code, reply.error.message));
      else caller?.resolve(reply.answer);
    });
    const fail = (error: StoreError) => {
      this.isEnded = true;
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
      if (this.lock !== undefined) openPaths.delete(this.lock);
    };
    worker.on("error", (cause) =>
      fail(new StoreError("failed", `Cannot go on with the store: ${String(cause)}`, { cause })),
    );
    worker.on("exit", () => fail(new StoreError("failed", "Cannot use the store: it is closed")));
  }

  /** @throws {StoreError} When the file is in use, of a newer version, no store, or cannot be opened. */
  static async open(options: StoreOptions): Promise<Store> {
    const { path, memoryLimitMb = 1024, threads = USUAL_THREADS, maxFlows = 5_000_000 } = options;
    const lock = path === ":memory:" ? undefined : lockName(path);
    if (lock !== undefined && openPaths.has(lock)) {
      throw new StoreError("in-use", `Cannot open store "${path}": wanted a file that this process has not opened yet`);
    }
    if (lock !== undefined) openPaths.add(lock);
    const workerData: DatabaseOptions = { path, memoryLimitMb, threads, maxFlows };
    const store = new Store(new Worker(new URL("./store-worker.js", import.meta.url), { workerData }), lock);
    try {
      store.storedInventory = (await store.ask<"opened">({ kind: "open" })).inventory;
      return store;
    } catch (error) {
      await store.worker.terminate();
      throw error;
    }
  }

  /** The inventory that was last put in force, also by an earlier process. */
  get inventory(): Inventory {
    return this.storedInventory;
  }

  private ask<Kind extends StoreAnswer["kind"]>(
    request: StoreRequest,
    buffers: readonly ArrayBuffer[] = [],
  ): Promise<Extract<StoreAnswer, { kind: Kind }>> {
    if (this.isEnded) return Promise.reject(new StoreError("failed", "Cannot use the store: it is closed"));
    return new Promise((resolveAnswer, reject) => {
      const id = this.nextId++;
      this.waiting.set(id, { resolve: resolveAnswer as (answer: StoreAnswer) => void, reject });
      // A process with an idle store may end; one that waits for an answer must not.
      this.worker.ref();
      this.worker.postMessage({ id, request }, buffers);
    });
  }

  /**
   * Takes batches, each once however often it comes, together with the positions of the logs they came from: all or none
   * of a call. Bad rows are left out and counted.
   * @throws {StoreError} `disk-full` and others; what was stored before is kept.
   */
  async append(batches: readonly FlowBatch[], read: Omit<Intake, "batches"> = {}): Promise<AppendReport> {
    const packed = packBatches(batches);
    const request = { kind: "append", intake: { ...read, batches: packed.batches } } as const;
    return (await this.ask<"appended">(request, [packed.memory])).report;
  }

  /** How far these partitions have been read; those that were never read are left out. */
  async positions(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]> {
    return (await this.ask<"positions">({ kind: "positions", partitions })).positions;
  }

  /** Forgets how far these partitions were read, because another store goes on with them. @throws {StoreError} */
  async release(partitions: readonly LogPartition[]): Promise<void> {
    await this.ask<"noted">({ kind: "release", partitions });
  }

  /** Keeps what sensors last said of themselves, in place of what they said before. @throws {StoreError} */
  async keepHeartbeats(beats: readonly SensorHeartbeat[]): Promise<void> {
    await this.ask<"noted">({ kind: "keep-heartbeats", beats });
  }

  /** The last kept word of each sensor about itself, by sensor. */
  async heartbeats(): Promise<readonly SensorHeartbeat[]> {
    return (await this.ask<"heartbeats">({ kind: "heartbeats" })).beats;
  }

  /**
   * Adds documents to the audit trail, each once, and the positions of the logs they came from: all or none. Answers how
   * many were new. @throws {StoreError}
   */
  async keepAudit(documents: readonly AuditDocument[], positions: readonly LogPosition[] = []): Promise<number> {
    return (await this.ask<"audit-kept">({ kind: "keep-audit", documents, positions })).added;
  }

  /** What the audit trail says of the documents that were received in the span. */
  async audit(span: TimeSpan): Promise<AuditFigures> {
    const { fromUs = Number.NEGATIVE_INFINITY, untilUs = Number.POSITIVE_INFINITY } = span;
    return (await this.ask<"audit">({ kind: "audit", fromUs, untilUs })).figures;
  }

  /** What enforcers counted in the next entries of the audit trail after a point; without one, where the trail ends. */
  async denialsSince(after: TrailPoint | undefined): Promise<DenialsSince> {
    return (await this.ask<"denials">({ kind: "denials", after })).denials;
  }

  /**
   * Conversation windows that touch the span, in no particular order. Minute windows exist only of the hours that still
   * have their records.
   */
  async conversations(span: TimeSpan, width: "hour" | "minute"): Promise<Conversations> {
    const { fromUs = Number.NEGATIVE_INFINITY, untilUs = Number.POSITIVE_INFINITY } = span;
    const request = { kind: "windows", width, fromUs, untilUs, known: this.texts.sizes() } as const;
    const { windows, added } = await this.ask<"windows">(request);
    this.texts.add(added);
    return new Conversations(windows, this.texts, width);
  }

  /** What was seen of every conversation in the hours that start in the span, counted in the database. */
  async activity(span: TimeSpan): Promise<Generator<EdgeActivity>> {
    const { fromUs = Number.NEGATIVE_INFINITY, untilUs = Number.POSITIVE_INFINITY } = span;
    const request = { kind: "activity", fromUs, untilUs, known: this.texts.sizes() } as const;
    const { activity, added } = await this.ask<"activity">(request);
    this.texts.add(added);
    return edgeActivities(activity, this.texts);
  }

  /** The earliest flows of some conversations, at most `limit`, as far as their records are still kept. */
  async samples(keys: readonly ConversationKey[], span: TimeSpan, limit: number): Promise<readonly FlowSample[]> {
    const { fromUs = Number.NEGATIVE_INFINITY, untilUs = Number.POSITIVE_INFINITY } = span;
    return (await this.ask<"samples">({ kind: "samples", keys, fromUs, untilUs, limit })).samples;
  }

  async sensors(): Promise<readonly SensorStatus[]> {
    return (await this.ask<"sensors">({ kind: "sensors" })).sensors;
  }

  async gaps(): Promise<readonly SensorGap[]> {
    return (await this.ask<"gaps">({ kind: "gaps" })).gaps;
  }

  /** Puts an inventory in force and attributes anew what it changes in the past. It is stored with the flows. */
  async reattribute(inventory: Inventory): Promise<Reattribution> {
    const { report } = await this.ask<"reattributed">({ kind: "reattribute", inventory });
    this.storedInventory = inventory;
    return report;
  }

  /** Writes everything into the file and frees it; further calls fail. */
  close(): Promise<void> {
    this.closed ??= this.ask({ kind: "close" }).then(async () => {
      await this.worker.terminate();
    });
    return this.closed;
  }
}
