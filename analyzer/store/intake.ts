import type { FlowBatch } from "../../model/flow-batch.js";
import type { FlowLoss } from "../../model/flow-loss.js";

/** One partition of a log; `source` names the log for ever, see `Consumption` in stream/carrier.ts. */
export interface LogPartition {
  readonly source: string;
  readonly topic: string;
  readonly partition: number;
}

/** How far a partition has been read. */
export interface LogPosition extends LogPartition {
  readonly next: bigint; // offset of the next message wanted
  readonly reachedUs: number; // when the log took the message before `next`; NaN where that is not known
}

/** Messages [from, until) that were gone before they could be read; `until` below `from`: the log lost its end. */
export interface LostMessages extends LogPartition {
  readonly from: bigint;
  readonly until: bigint;
}

/**
 * One write: batches, and how far the logs that brought them have been read. All of it is stored or nothing, so that a
 * batch whose position is stored is stored, and one that is not comes again.
 */
export interface Intake {
  readonly batches: readonly FlowBatch[];
  readonly announced?: readonly FlowLoss[]; // batches that their collectors will never send
  readonly positions?: readonly LogPosition[]; // the newest of each partition
  readonly lost?: readonly LostMessages[];
  readonly oldestUs?: number; // when a log took the oldest of its messages
}

export interface AppendReport {
  readonly batches: number; // taken
  readonly duplicates: number; // batches that had been taken before
  readonly flows: number;
  readonly malformed: number;
}
