import type { FlowBatch } from "../../model/flow-batch.js";
import type { FlowLoss } from "../../model/flow-loss.js";
import type { AppendReport, Intake, LogPartition, LogPosition, LostMessages } from "../store/intake.js";

/** Rows that make a write worth its cost: a row group of DuckDB, which goes past the log into the file. */
export const FLUSH_ROWS = 122_880;
/** The longest that rows wait for company, in milliseconds; a write that failed is tried again after as long. */
const FLUSH_AFTER_MS = 1_000;
/** Rows that may wait while a write is under way; `add` waits beyond. */
export const MAX_WAITING_ROWS = 4 * FLUSH_ROWS;
/** What a delivery counts at least, so that empty ones are bounded as well. */
const LEAST_ROWS = 16;

/** What one message brought, and the position behind it where it came from a log. */
export interface Delivery {
  readonly batch?: FlowBatch;
  readonly announced?: FlowLoss;
  readonly lost?: LostMessages;
  readonly position?: LogPosition;
}

const rowsOf = ({ batch }: Delivery) => Math.max(batch?.length ?? 0, LEAST_ROWS);
const keyOf = ({ source, topic, partition }: LogPartition) => JSON.stringify([source, topic, partition]);

/** Deliveries as one write; of each partition the last position counts. */
function intakeOf(deliveries: readonly Delivery[]): Intake {
  const positions = new Map<string, LogPosition>();
  let oldestUs = Number.POSITIVE_INFINITY;
  for (const { position } of deliveries) {
    if (position === undefined) continue;
    positions.set(keyOf(position), position);
    if (position.reachedUs < oldestUs) oldestUs = position.reachedUs;
  }
  return {
    ...(Number.isFinite(oldestUs) ? { oldestUs } : {}),
    batches: deliveries.flatMap(({ batch }) => batch ?? []),
    announced: deliveries.flatMap(({ announced }) => announced ?? []),
    lost: deliveries.flatMap(({ lost }) => lost ?? []),
    positions: [...positions.values()],
  };
}

/**
 * Gathers deliveries into writes of a good size. While a write runs the next one gathers; when that is full too, `add`
 * waits, which slows the sender. Deliveries whose write failed stay in front and are written again.
 */
export class BatchBuffer {
  private waiting: Delivery[] = [];
  private waitingRows = 0;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failure: unknown;

  constructor(
    private readonly write: (intake: Intake) => Promise<AppendReport>,
    private readonly onWritten: (report: AppendReport, intake: Intake) => void,
  ) {}

  /**
   * Resolves when there is room for more. After a write that failed, the next call tries that write again first.
   * @throws What `write` threw; then the delivery was not taken.
   */
  async add(delivery: Delivery): Promise<void> {
    if (this.failure !== undefined) await this.flush();
    this.waiting.push(delivery);
    this.waitingRows += rowsOf(delivery);
    if (this.waitingRows < FLUSH_ROWS) this.startSoon();
    else this.start();
    while (this.waitingRows >= MAX_WAITING_ROWS && this.failure === undefined) await this.start();
  }

  /** Resolves when everything that was added before is written. @throws What `write` threw. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.writing;
    this.failure = undefined;
    while (this.waiting.length > 0 && this.failure === undefined) await this.start();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Leaves out what came from these partitions and is not written: whoever reads them next gets it again. */
  async forget(partitions: readonly LogPartition[]): Promise<void> {
    await this.writing;
    const gone = new Set(partitions.map(keyOf));
    this.waiting = this.waiting.filter(({ position }) => position === undefined || !gone.has(keyOf(position)));
    this.waitingRows = this.waiting.reduce((sum, delivery) => sum + rowsOf(delivery), 0);
  }

  /** Why nothing can be written now; `undefined` while it can. */
  fault(): unknown {
    return this.failure;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      clearTimeout(this.timer);
    }
  }

  private startSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.start();
    }, FLUSH_AFTER_MS);
  }

  /** Begins the next write, after the one under way; never rejects, failures are kept for the callers. */
  private start(): Promise<void> {
    this.writing ??= this.writeWaiting().finally(() => {
      this.writing = undefined;
      // What gathered meanwhile may be the last that comes for a long time.
      if (this.waiting.length === 0) return;
      if (this.waitingRows < FLUSH_ROWS || this.failure !== undefined) this.startSoon();
      else this.start();
    });
    return this.writing;
  }

  /**
   * What the next write takes: as few deliveries as fill a row group, or all there are. Several groups at once would take
   * several times the memory, and rows beyond a group would be a short one of their own, which makes the file longer and is
   * written again when it is closed.
   */
  private takeWaiting(): Delivery[] {
    let count = 0;
    for (let rows = 0; count < this.waiting.length && rows < FLUSH_ROWS; count++) {
      rows += rowsOf(this.waiting[count] as Delivery);
    }
    return this.waiting.splice(0, count);
  }

  private async writeWaiting(): Promise<void> {
    const deliveries = this.takeWaiting();
    if (deliveries.length === 0) return;
    const rows = deliveries.reduce((sum, delivery) => sum + rowsOf(delivery), 0);
    this.waitingRows -= rows;
    try {
      const intake = intakeOf(deliveries);
      const report = await this.write(intake);
      this.failure = undefined;
      this.onWritten(report, intake);
    } catch (error) {
      this.failure = error;
      this.waiting = [...deliveries, ...this.waiting];
      this.waitingRows += rows;
    }
  }
}
