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
  readonly batchRows?: number; // most flows of a batch, default BATCH_ROWS
  readonly maxFlows?: number;
  readonly timeouts?: FlowTimeouts;
  /** When flows are handed out, in which batches: the same captures and the same runs give the same batches. */
  readonly runs?: RunLength;
  /** Awaited from time to time with the time of the latest packet, to read no faster than somebody wants. */
  readonly pace?: (timeUs: number) => Promise<void>;
  /** Called every `checkPackets` packets (64 Ki by default) and at the end; `totalBytes` is unknown for standard input. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

/** How long finished flows are held back, so that they leave in order; beyond it order holds within each such run. */
export interface RunLength {
  readonly flows: number;
  readonly packetUs?: number; // time of the packets, not the clock
  readonly checkPackets: number; // how often this is looked at
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

const USUAL_RUNS: RunLength = { flows: 1 << 20, checkPackets: 1 << 16 };

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
    ...(options.batchRows === undefined ? {} : { batchRows: options.batchRows }),
    ...(options.maxFlows === undefined ? {} : { maxFlows: options.maxFlows }),
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
  });
  const { flows, packetUs = Number.POSITIVE_INFINITY, checkPackets } = options.runs ?? USUAL_RUNS;
  let runStartUs = Number.NaN;
  const totalBytes = totalSize(paths);
  const stream = await CaptureStream.open(paths);
  const report = () => {
    options.onProgress?.({ packets: meter.totals().packets, bytes: stream.bytes, totalBytes });
  };
  try {
    while (await stream.pump(meter, checkPackets)) {
      report();
      const { untilUs } = meter.totals();
      await options.pace?.(untilUs);
      if (Number.isNaN(runStartUs)) runStartUs = untilUs;
      const isRunOver = meter.pending >= flows || untilUs - runStartUs >= packetUs;
      if (meter.mustFlush) yield* meter.exportAll({ dropped: 0 });
      else if (isRunOver) yield* meter.export({ dropped: 0 });
      if (isRunOver) runStartUs = untilUs;
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
