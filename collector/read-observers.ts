import type { FlowBatch } from "../model/flow-batch.js";
import { addMeterTotals } from "./flow-meter.js";
import { addLoss } from "./live/live-capture.js";
import { type ReadOptions, type ReadProgress, type ReadTotals, readCaptures } from "./read-captures.js";

const NOTHING: ReadProgress = { packets: 0, bytes: 0, totalBytes: 0 };

/** When a batch begins; one without flows holds nothing up. */
const beginOf = ({ length, startUs }: FlowBatch) => (length === 0 ? 0 : (startUs[0] as number));

/**
 * Reads captures that several observers made, each as a collector of its own, so that what two of them saw is one flow. Of
 * what is next in each capture the earliest comes first: whoever stores the batches closes hours as they become old.
 * @param observers who made each of the captures, all different
 */
export async function* readObservers(
  paths: readonly string[],
  observers: readonly string[],
  options: Omit<ReadOptions, "collector"> = {},
): AsyncGenerator<FlowBatch, ReadTotals, void> {
  const progress = paths.map(() => NOTHING);
  const report = (i: number) => (own: ReadProgress) => {
    progress[i] = own;
    options.onProgress?.(progress.reduce(addProgress));
  };
  const captures = paths.map((path, i) => {
    return readCaptures([path], { ...options, collector: observers[i] as string, onProgress: report(i) });
  });
  const ended: ReadTotals[] = [];
  const next: (FlowBatch | undefined)[] = [];
  const advance = async (i: number) => {
    const step = await captures[i]?.next();
    if (step?.done === true) ended[i] = step.value;
    next[i] = step?.done === true ? undefined : step?.value;
  };
  try {
    for (const i of captures.keys()) await advance(i);
    for (;;) {
      let earliest = -1;
      for (const [i, batch] of next.entries()) {
        if (batch === undefined) continue;
        const before = next[earliest];
        if (before === undefined || beginOf(batch) < beginOf(before)) earliest = i;
      }
      const batch = next[earliest];
      if (batch === undefined) break;
      yield batch;
      await advance(earliest);
    }
    return ended.reduce(addReadTotals);
  } finally {
    for (const capture of captures) await capture.return(undefined as never); // closes the files
  }
}

function addProgress(a: ReadProgress, b: ReadProgress): ReadProgress {
  const totalBytes = a.totalBytes === undefined || b.totalBytes === undefined ? undefined : a.totalBytes + b.totalBytes;
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes, totalBytes };
}

function addReadTotals(a: ReadTotals, b: ReadTotals): ReadTotals {
  return { ...addMeterTotals(a, b), lost: addLoss(a.lost, b.lost), errors: [...a.errors, ...b.errors] };
}
