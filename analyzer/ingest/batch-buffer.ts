import type { FlowBatch } from "../../model/flow-batch.js";
import type { AppendReport } from "../store/database.js";

/** Rows that make a write worth its cost. */
const FLUSH_ROWS = 50_000;
/** The longest that rows wait for company, in milliseconds. */
const FLUSH_AFTER_MS = 1_000;
/** Rows that may wait while a write is under way; `add` waits beyond. */
const MAX_WAITING_ROWS = 2 * FLUSH_ROWS;

/**
 * Gathers batches into writes of a good size. While a write runs the next one gathers; when that is full too, `add` waits,
 * which slows the sender. Batches whose write failed stay in front and are written again.
 */
export class BatchBuffer {
  private waiting: FlowBatch[] = [];
  private waitingRows = 0;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failure: unknown;

  constructor(
    private readonly write: (batches: readonly FlowBatch[]) => Promise<AppendReport>,
    private readonly onWritten: (report: AppendReport) => void,
  ) {}

  /**
   * Resolves when there is room for more. After a write that failed, the next call tries that write again first.
   * @throws What `write` threw; then the batch was not taken.
   */
  async add(batch: FlowBatch): Promise<void> {
    if (this.failure !== undefined) await this.flush();
    this.waiting.push(batch);
    this.waitingRows += batch.length;
    if (this.waitingRows < FLUSH_ROWS) {
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        this.start();
      }, FLUSH_AFTER_MS);
    } else {
      this.start();
    }
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

  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.timer);
  }

  /** Begins the next write, after the one under way; never rejects, failures are kept for the callers. */
  private start(): Promise<void> {
    this.writing ??= this.writeWaiting().finally(() => {
      this.writing = undefined;
    });
    return this.writing;
  }

  private async writeWaiting(): Promise<void> {
    const batches = this.waiting;
    const rows = this.waitingRows;
    this.waiting = [];
    this.waitingRows = 0;
    if (batches.length === 0) return;
    try {
      this.onWritten(await this.write(batches));
    } catch (error) {
      this.failure = error;
      this.waiting = [...batches, ...this.waiting];
      this.waitingRows += rows;
    }
  }
}
