import type { ConversationKey, ConversationWindow } from "../model/conversation.js";
import type { FlowBatch } from "../model/flow-batch.js";
import type { Graph, GraphLevel } from "../model/graph.js";
import type { SensorHeartbeat } from "../model/sensor-heartbeat.js";
import type { Inventory } from "../model/workload.js";
import type { Keyring } from "../policy/trust/keyring.js";
import type { DenialsSince, TrailPoint } from "./alerts/denial-sightings.js";
import type { AcceptedDenial } from "./audit/accepted-denials.js";
import type { AuditFigures } from "./audit/audit-figures.js";
import type { AuditReport } from "./audit/audit-report.js";
import type { AuditDocument } from "./audit/audit-trail.js";
import type { EdgeDetail, ExplorerSource, SensorStatus, TimelineSlice, TimeSpan } from "./explorer.js";
import { BatchBuffer, type Delivery } from "./ingest/batch-buffer.js";
import { Heartbeats } from "./ingest/heartbeats.js";
import { type IntakeFigures, IntakeTotals } from "./ingest/intake-totals.js";
import type { Proposal } from "./proposal.js";
import { loadSnapshot, type Snapshot } from "./snapshot.js";
import type { LogPartition, LogPosition } from "./store/intake.js";
import { Store, type StoreOptions } from "./store/store.js";
import { timelineOf } from "./timeline.js";

// What makes rules and graphs is loaded when they are asked for: who only stores flows begins sooner without it.

/** Conversations of one edge that samples are looked up for; more would only repeat the picture. */
const SAMPLED_CONVERSATIONS = 500;
const MAX_SAMPLES = 10;
/** Graphs of one revision that are kept, by level and span. */
const KEPT_GRAPHS = 16;
/** While answers take long, new data is shown less often, so that at most about a fifth of the time goes into answers. */
const REST_PER_WORK = 4;
const MAX_REST_MS = 30_000;

export interface AnalyzerOptions extends StoreOptions {
  /** The inventory in force; without it the one that the store was last given. */
  readonly inventory?: Inventory | undefined;
  /** What people decided, and whom to trust, for reports about enforcement. */
  readonly audit?: AuditOptions;
}

export interface AuditOptions {
  readonly accepted: readonly AcceptedDenial[];
  readonly keyring: Keyring | undefined; // without it signatures are shown and not checked
}

const NO_DECISIONS: AuditOptions = { accepted: [], keyring: undefined };

/**
 * Flows in, graph and proposal out. Rows are stored at once in batches; what is shown changes by revisions, each one
 * consistent view of the store.
 */
export class Analyzer implements ExplorerSource {
  private currentRevision = 1;
  private readonly listeners = new Set<(revision: number) => void>();
  private readonly buffer: BatchBuffer;
  private readonly intakeTotals = new IntakeTotals();
  private readonly beats = new Heartbeats((beats) => this.store.keepHeartbeats(beats));
  private snapshot: Promise<Snapshot> | undefined;
  private proposed: Promise<Proposal> | undefined;
  private readonly graphs = new Map<string, Promise<Graph>>();
  private workMs = 0; // time that answers of this revision took
  private publishTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly store: Store,
    private currentInventory: Inventory,
    private decisions: AuditOptions,
  ) {
    this.buffer = new BatchBuffer(
      ({ batches, ...read }) => this.store.append(batches, read),
      (report, intake) => {
        this.intakeTotals.note(report, intake);
        if (report.batches > 0 || intake.announced?.length || intake.lost?.length) this.publishSoon();
      },
    );
  }

  /** @throws {StoreError} When the store cannot be opened. */
  static async open(options: AnalyzerOptions): Promise<Analyzer> {
    const { inventory, audit = NO_DECISIONS, ...storeOptions } = options;
    const store = await Store.open(storeOptions);
    const analyzer = new Analyzer(store, store.inventory, audit);
    try {
      analyzer.beats.restore(await store.heartbeats());
      if (inventory !== undefined) await analyzer.setInventory(inventory);
      return analyzer;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Takes one batch. Resolves as soon as there is room for the next one, not when it is stored: `flush` waits for that.
   * @throws {StoreError} When storing failed; the rows are kept and tried again with the next call.
   */
  ingest(batch: FlowBatch): Promise<void> {
    return this.buffer.add({ batch });
  }

  /** The same for whatever a message brought, with the position behind it. @throws {StoreError} */
  take(delivery: Delivery): Promise<void> {
    return this.buffer.add(delivery);
  }

  /**
   * How far these partitions are read for good. What was taken and cannot be stored is left out: it comes again.
   * @throws {StoreError} When the store cannot be read.
   */
  async positions(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]> {
    await this.buffer.flush().catch(() => this.buffer.forget(partitions));
    return this.store.positions(partitions);
  }

  /** Leaves partitions to another analyzer, which goes on from the positions that are returned. @throws {StoreError} */
  async release(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]> {
    const reached = await this.positions(partitions);
    await this.store.release(partitions);
    return reached;
  }

  /** What came in since the start, and how long it was under way. */
  intake(): IntakeFigures {
    return this.intakeTotals.figures();
  }

  /** Why the store takes nothing now; `undefined` while it does. */
  storeFault(): unknown {
    return this.buffer.fault();
  }

  /** Takes the newest word of a sensor about itself. It is no change of the data, and kept with the next ones. */
  heartbeat(beat: SensorHeartbeat): void {
    this.beats.take(beat);
  }

  /** Adds documents to the audit trail, each once, with the positions of their logs. @throws {StoreError} */
  async keepAudit(documents: readonly AuditDocument[], positions: readonly LogPosition[]): Promise<void> {
    if ((await this.store.keepAudit(documents, positions)) > 0) this.publishSoon();
  }

  /** What was enforced in the span, by the time of receipt, and what it rests on. */
  async audit(span: Required<TimeSpan>): Promise<{ readonly report: AuditReport; readonly figures: AuditFigures }> {
    // Signatures and their schemas are loaded where somebody asks about enforcement.
    const [{ approvalOf }, { auditReport }] = await Promise.all([
      import("./audit/policy-approvals.js"),
      import("./audit/audit-report.js"),
    ]);
    const figures = await this.store.audit(span);
    const { accepted, keyring } = this.decisions;
    const [approvals, graph, sensors, gaps] = await Promise.all([
      Promise.all(figures.policies.map((entry) => approvalOf(entry, keyring))),
      this.graph("workload", {}),
      this.sensors(),
      this.store.gaps(),
    ]);
    const inventory = this.currentInventory;
    return { figures, report: auditReport({ figures, ...span, approvals, accepted, inventory, graph, sensors, gaps }) };
  }

  /** What enforcers counted in the next entries of the audit trail after a point; without one, where the trail ends. */
  denialsSince(after: TrailPoint | undefined): Promise<DenialsSince> {
    return this.store.denialsSince(after);
  }

  /** Stores all that was taken, and shows it. @throws {StoreError} */
  async flush(): Promise<void> {
    await this.buffer.flush();
    if (this.publishTimer !== undefined) this.publish();
  }

  /** Puts an inventory in force for what comes and for what is stored. @throws {StoreError} */
  async setInventory(inventory: Inventory): Promise<void> {
    if (inventory === this.currentInventory) return;
    const { formatInventory } = await import("../model/inventory-format.js");
    if (formatInventory(inventory) === formatInventory(this.currentInventory)) return;
    await this.buffer.flush();
    await this.store.reattribute(inventory);
    this.currentInventory = inventory;
    this.publish();
  }

  /** What people decided since, and whom to trust from now on: reports that were made before say what held then. */
  setAudit(decisions: AuditOptions): void {
    this.decisions = decisions;
    this.publish();
  }

  acceptedDenials(): readonly AcceptedDenial[] {
    return this.decisions.accepted;
  }

  /** Stores what was taken and frees the database. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      clearTimeout(this.publishTimer);
      this.listeners.clear();
      try {
        await this.buffer.close();
        await this.beats.close();
      } finally {
        await this.store.close();
      }
    })();
    return this.closing;
  }

  private publishSoon(): void {
    if (this.publishTimer !== undefined || this.closing !== undefined) return;
    const restMs = Math.min(this.workMs * REST_PER_WORK, MAX_REST_MS);
    this.publishTimer = setTimeout(() => this.publish(), restMs);
    this.publishTimer.unref();
  }

  private publish(): void {
    clearTimeout(this.publishTimer);
    this.publishTimer = undefined;
    this.currentRevision++;
    this.workMs = 0;
    this.snapshot = undefined;
    this.proposed = undefined;
    this.graphs.clear();
    for (const listener of [...this.listeners]) listener(this.currentRevision);
  }

  private async timed<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.workMs += performance.now() - startMs;
    }
  }

  private loaded(): Promise<Snapshot> {
    const inventory = this.currentInventory;
    this.snapshot ??= this.timed(() => loadSnapshot(this.store, inventory));
    return forgetOnFailure(this.snapshot, () => {
      this.snapshot = undefined;
    });
  }

  revision(): number {
    return this.currentRevision;
  }

  onChange(listener: (revision: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  inventory(): Inventory {
    return this.currentInventory;
  }

  async sensors(): Promise<readonly SensorStatus[]> {
    return (await this.loaded()).sensors;
  }

  async heartbeats(): Promise<readonly SensorHeartbeat[]> {
    return this.beats.all();
  }

  proposal(): Promise<Proposal> {
    this.proposed ??= this.loaded().then(({ conversations, inventory, gaps }) =>
      this.timed(async () => {
        const { windows, samples } = conversations;
        const { discover } = await import("./discovery/discover.js");
        return discover({ windows, inventory, gaps, samples });
      }),
    );
    return forgetOnFailure(this.proposed, () => {
      this.proposed = undefined;
    });
  }

  graph(level: GraphLevel, span: TimeSpan): Promise<Graph> {
    const key = `${level} ${span.fromUs ?? ""} ${span.untilUs ?? ""}`;
    const known = this.graphs.get(key);
    if (known !== undefined) return known;
    const made = Promise.all([this.loaded(), this.proposal()]).then(([{ conversations, inventory }, proposal]) =>
      this.timed(async () => {
        const { buildGraph } = await import("./graph/build-graph.js");
        return buildGraph({ windows: within(conversations.windows, span), inventory, proposal, level });
      }),
    );
    if (this.graphs.size >= KEPT_GRAPHS) this.graphs.delete(this.graphs.keys().next().value as string);
    this.graphs.set(key, made);
    return forgetOnFailure(made, () => this.graphs.delete(key));
  }

  async edge(level: GraphLevel, edgeId: string, span: TimeSpan): Promise<EdgeDetail | undefined> {
    const { conversations, inventory } = await this.loaded();
    const graph = await this.graph(level, span);
    const edge = graph.edges.find(({ id }) => id === edgeId);
    if (edge === undefined) return undefined;
    const { edgeNaming } = await import("./graph/build-graph.js");
    const nameOf = edgeNaming(inventory, level);
    const windows = within(conversations.windows, span).filter((window) => nameOf(window) === edgeId);
    const keys = new Map<string, ConversationKey>();
    for (const { client, server, protocol, serverPort, scope } of windows) {
      if (keys.size === SAMPLED_CONVERSATIONS) break;
      keys.set(`${client} ${server} ${scope}`, { client, server, protocol, serverPort, scope });
    }
    const stored = await this.store.samples([...keys.values()], span, MAX_SAMPLES);
    const samples =
      stored.length > 0
        ? stored
        : [...keys.values()]
            .flatMap(conversations.samples)
            .sort((a, b) => a.startUs - b.startUs)
            .slice(0, MAX_SAMPLES);
    return { edge, samples, windows: activityOf(windows) };
  }

  async timeline(slices: number): Promise<readonly TimelineSlice[]> {
    return timelineOf((await this.loaded()).conversations.windows, slices);
  }
}

/** A failure is told to whoever waits for it, but not kept as the answer for all who come later. */
function forgetOnFailure<T>(answer: Promise<T>, forget: () => void): Promise<T> {
  answer.catch(forget);
  return answer;
}

function within(windows: readonly ConversationWindow[], { fromUs, untilUs }: TimeSpan): readonly ConversationWindow[] {
  if (fromUs === undefined && untilUs === undefined) return windows;
  const from = fromUs ?? Number.NEGATIVE_INFINITY;
  const until = untilUs ?? Number.POSITIVE_INFINITY;
  return windows.filter((window) => window.lastSeenUs >= from && window.firstSeenUs < until);
}

function activityOf(windows: readonly ConversationWindow[]): EdgeDetail["windows"] {
  const byStart = new Map<number, { startUs: number; answered: number; failed: number }>();
  for (const { windowStartUs: startUs, flows } of windows) {
    const slice = byStart.get(startUs) ?? { startUs, answered: 0, failed: 0 };
    slice.answered += flows.answered;
    slice.failed += flows.refused + flows.unanswered;
    byStart.set(startUs, slice);
  }
  return [...byStart.values()].sort((a, b) => a.startUs - b.startUs);
}
