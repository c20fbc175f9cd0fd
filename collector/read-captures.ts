import { statSync } from "node:fs";
import type { FlowBatch } from "../model/flow-batch.js";
import type { CaptureError } from "./capture-file/capture-error.js";
import { CaptureStream } from "./capture-stream.js";
import { FlowMeter, type MeterTotals } from "./flow-meter.js";
import type { FlowTimeouts } from "./flow-table.js";

export interface ReadOptions {
  readonly collector?: string; // default "capture"; see BatchOrigin
  readonly boot?: string; // default "file"
  readonly buckets?: number; // default 1: then all flows of the capture come in one order
  readonly maxFlows?: number;
  readonly timeouts?: FlowTimeouts;
  /** Called every 64 Ki packets and at the end; `totalBytes` is unknown for standard input. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

export interface ReadProgress {
  readonly packets: number;
  readonly bytes: number; // read so far over all files, unpacked
  readonly totalBytes: number | undefined; // as they lie on disk
}

/** What became of all packets, complete when the generator has ended. */
export interface ReadTotals extends MeterTotals {
  /** Packets that the capturing hosts lost, by the files' own word; "unknown" when one does not tell. */
  readonly lost: number | "unknown";
  readonly errors: readonly CaptureError[]; // at most one a file; what came before them is in the flows
}

/** Flows held back at most so that they leave in order; beyond it order holds within each such run. */
const RUN_FLOWS = 1 << 20;
const PACKETS_BETWEEN_CHECKS = 1 << 16;

/**
 * Reads captures as one stream of observations and gives their flows in batches, ordered by time of the first packet.
 * Files that overlap in time are merged packet by packet; one that follows another goes on with its open flows. A packet
 * that two files hold counts twice: captures of several places belong into several collectors.
 *
 * A file that cannot be read to its end ends there; what it told before stays. Its error is in the totals that the
 * generator returns.
 */
export async function* readCaptures(
  paths: readonly string[],
  options: ReadOptions = {},
): AsyncGenerator<FlowBatch, ReadTotals, void> {
  const meter = new FlowMeter({
    collector: options.collector ?? "capture",
    boot: options.boot ?? "file",
    ...(options.buckets === undefined ? {} : { buckets: options.buckets }),
    ...(options.maxFlows === undefined ? {} : { maxFlows: options.maxFlows }),
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
  });
  const totalBytes = totalSize(paths);
  const stream = await CaptureStream.open(paths);
  const report = () => {
    options.onProgress?.({ packets: meter.totals().packets, bytes: stream.bytes, totalBytes });
  };
  try {
    while (await stream.pump(meter, PACKETS_BETWEEN_CHECKS)) {
      report();
      if (meter.mustFlush) yield* meter.exportAll({ dropped: 0 });
      else if (meter.pending >= RUN_FLOWS) yield* meter.export({ dropped: 0 });
    }
    report();
    const lost = stream.lost ?? "unknown";
    yield* meter.exportAll({ dropped: lost });
    return { ...meter.totals(), lost, errors: stream.errors };
  } finally {
    stream.close();
  }
}

function totalSize(paths: readonly string[]): number | undefined {
  let sum = 0;
  for (const path of paths) {
    const size = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}
