import type { BatchOrigin, FlowBatch } from "../model/flow-batch.js";
import { encodeFlowBatch } from "../model/flow-batch-codec.js";

/** What is known of a batch without opening it: enough to say what is missing when it is lost. */
export interface BatchSummary {
  readonly origin: BatchOrigin;
  readonly flows: number;
  readonly fromUs: number; // of its packets; 0 without flows
  readonly untilUs: number;
}

export interface EncodedBatch extends BatchSummary {
  readonly bytes: Uint8Array;
}

export function summarise(batch: FlowBatch): BatchSummary {
  let fromUs = batch.length === 0 ? 0 : Number.POSITIVE_INFINITY;
  let untilUs = 0;
  for (let row = 0; row < batch.length; row++) {
    fromUs = Math.min(fromUs, batch.startUs[row]!);
    untilUs = Math.max(untilUs, batch.endUs[row]!);
  }
  // Times come from captures, where they may be anything.
  const span = { fromUs: Math.max(0, fromUs), untilUs: Math.max(0, fromUs, untilUs) };
  return { origin: batch.origin, flows: batch.length, ...span };
}

export function encodeBatch(batch: FlowBatch): EncodedBatch {
  return { ...summarise(batch), bytes: encodeFlowBatch(batch) };
}
