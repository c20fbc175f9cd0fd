import { statSync } from "node:fs";
import type { FlowBatch } from "../model/flow-batch.js";
import { openSource } from "./capture-file/byte-source.js";
import { CaptureError } from "./capture-file/capture-error.js";
import { CaptureReader } from "./capture-file/capture-reader.js";
import { FlowMeter, type MeterTotals } from "./flow-meter.js";
import type { FlowTimeouts } from "./flow-table.js";
import { firstLayerOf } from "./layers/link-types.js";

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
  readonly bytes: number; // read so far, over all files
  readonly totalBytes: number | undefined;
}

/** What became of all packets, complete when the generator has ended. */
export interface ReadTotals extends MeterTotals {
  /** Packets that the capturing hosts lost, by the files' own word; "unknown" when one does not tell. */
  readonly lost: number | "unknown";
  readonly fromUs: number; // first packet; 0 with no packet
  readonly untilUs: number; // last packet
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
  const errors: CaptureError[] = [];
  const totalBytes = totalSize(paths);
  let fromUs = Number.POSITIVE_INFINITY;
  let untilUs = Number.NEGATIVE_INFINITY;
  let lost: number | undefined = 0; // undefined once a file does not tell
  let doneBytes = 0;
  let packets = 0;
  const report = (offset: number) => {
    options.onProgress?.({ packets, bytes: doneBytes + offset, totalBytes });
  };
  for (const path of paths) {
    let reader: CaptureReader | undefined;
    try {
      reader = await CaptureReader.open(openSource(path));
      const { packet } = reader;
      let linkType = -1;
      let layer = 0;
      for (;;) {
        const step = reader.advance();
        if (!(typeof step === "boolean" ? step : await step)) break;
        if (packet.linkType !== linkType) {
          linkType = packet.linkType;
          layer = layerOf(linkType, path, reader.offset);
        }
        const { timeUs } = packet;
        if (timeUs < fromUs) fromUs = timeUs;
        if (timeUs > untilUs) untilUs = timeUs;
        meter.add(layer, reader.bytes, packet.start, packet.capturedLength, packet.wireLength, timeUs);
        if (++packets % PACKETS_BETWEEN_CHECKS !== 0) continue;
        report(reader.offset);
        if (meter.mustFlush) yield* meter.exportAll({ dropped: 0 });
        else if (meter.pending >= RUN_FLOWS) yield* meter.export({ dropped: 0 });
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      errors.push(error);
    } finally {
      if (reader !== undefined) {
        const dropped: number | undefined = reader.packet.dropped;
        lost = dropped === undefined || lost === undefined ? undefined : lost + dropped;
        doneBytes += reader.offset;
        reader.close();
      }
    }
  }
  report(0);
  yield* meter.exportAll({ dropped: lost ?? "unknown" });
  const totals = meter.totals();
  const isEmpty = totals.packets === 0;
  return { ...totals, lost: lost ?? "unknown", errors, fromUs: isEmpty ? 0 : fromUs, untilUs: isEmpty ? 0 : untilUs };
}

function layerOf(linkType: number, file: string, offset: number): number {
  const layer = firstLayerOf(linkType);
  if (layer !== undefined) return layer;
  throw new CaptureError(
    "unknown-link-type",
    file,
    offset,
    `Cannot take apart packets of "${file}": link type ${linkType} is not known, wanted one that carries IP such as 1 (Ethernet)`,
  );
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
