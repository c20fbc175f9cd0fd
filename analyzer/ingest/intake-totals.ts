import type { AppendReport, Intake } from "../store/intake.js";

/** What came in since the start. */
export interface IntakeFigures {
  readonly batches: number;
  readonly duplicates: number; // batches that had been taken before
  readonly flows: number;
  readonly malformed: number; // records that were left out
  readonly writes: number;
  /** From the log taking the oldest message of the newest write until its rows were stored; "unknown" without a log. */
  readonly lagMs: number | "unknown";
}

/** Counts what the store reports. */
export class IntakeTotals {
  private batches = 0;
  private duplicates = 0;
  private flows = 0;
  private malformed = 0;
  private writes = 0;
  private lagMs: number | "unknown" = "unknown";

  constructor(private readonly nowMs: () => number = Date.now) {}

  note(report: AppendReport, { oldestUs }: Intake): void {
    this.batches += report.batches;
    this.duplicates += report.duplicates;
    this.flows += report.flows;
    this.malformed += report.malformed;
    this.writes++;
    if (oldestUs !== undefined) this.lagMs = Math.max(0, this.nowMs() - oldestUs / 1000);
  }

  figures(): IntakeFigures {
    const { batches, duplicates, flows, malformed, writes, lagMs } = this;
    return { batches, duplicates, flows, malformed, writes, lagMs };
  }
}
