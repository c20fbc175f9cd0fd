import type { BatchSummary, EncodedBatch } from "../encoded-batch.js";
import type { CollectorTotals } from "./flow-collector.js";
import type { LiveCaptureErrorCode } from "./live-capture-error.js";

/** An error as it travels between threads, where classes are lost. */
export interface ToldError {
  readonly code: LiveCaptureErrorCode;
  readonly message: string;
}

/** What the collecting thread tells the main one. */
export type FromCollector =
  | { readonly kind: "begun"; readonly totals: CollectorTotals }
  | { readonly kind: "refused"; readonly error: ToldError }
  | { readonly kind: "capturing"; readonly program: string }
  | { readonly kind: "waiting"; readonly error: ToldError }
  | { readonly kind: "batch"; readonly batch: EncodedBatch } // answered by "sent" or "unsent"
  | { readonly kind: "lost"; readonly batch: BatchSummary }
  | { readonly kind: "totals"; readonly totals: CollectorTotals }
  | { readonly kind: "stopped"; readonly totals: CollectorTotals }
  | { readonly kind: "unstopped"; readonly message: string }; // what was collected last could not be sent

/** What the main thread tells the collecting one. */
export type ToCollector =
  | { readonly kind: "sent" }
  | { readonly kind: "unsent"; readonly message: string }
  | { readonly kind: "stop" };
