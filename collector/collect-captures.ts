import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { FLOW_BUCKETS } from "../model/flow-bucket.js";
import { encodeBatch } from "./encoded-batch.js";
import { type ReadTotals, type RunLength, readCaptures } from "./read-captures.js";
import type { Spool } from "./spool/spool.js";

export interface CaptureCollection {
  readonly collector: string;
  readonly spool: Spool;
  /** How much faster than they were captured, as if they came in live; as fast as they are taken where it is absent. */
  readonly speed?: number;
  readonly signal: AbortSignal; // ends the reading early
  readonly onPackets: (packets: number) => void;
}

/** Fills the batches of all buckets nearly, so that the frame of a batch costs little. */
const RUN_FLOWS = FLOW_BUCKETS * 950;
const LIVE_RUN_US = 1_000_000;

/**
 * Reads captures into the spool. The batches of the same captures are the same each time, and so is their boot, which is
 * the digest of the captures: what is read again after a crash, or by mistake, is not counted again.
 *
 * Without `speed` a full spool is waited for; with it, the reading is as live traffic, of which the oldest is given up.
 * @returns undefined where `signal` ended it before the end
 */
export async function collectCaptures(
  paths: readonly string[],
  options: CaptureCollection,
): Promise<ReadTotals | undefined> {
  const { collector, spool, speed, signal } = options;
  const runs = captureRuns(speed);
  const boot = await captureBoot(paths, speed);
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  let beginUs = Number.NaN; // of the first packets that are not told yet
  let beginMs = 0;
  const pace = async (timeUs: number) => {
    if (speed === undefined || Number.isNaN(beginUs)) return;
    const dueMs = beginMs + (timeUs - beginUs) / 1000 / speed;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await wait(earlyMs, undefined, { signal }).catch(() => {});
  };
  const batches = readCaptures(paths, {
    collector,
    boot,
    buckets: FLOW_BUCKETS,
    runs,
    pace,
    onProgress: ({ packets }) => options.onPackets(packets),
  });
  let step = await batches.next();
  while (step.done !== true && !signal.aborted) {
    const { origin } = step.value;
    if (origin.sequence >= spool.nextOf(collector, boot, origin.bucket)) {
      const batch = encodeBatch(step.value);
      while (speed === undefined && spool.isFullFor(batch) && !signal.aborted) {
        await Promise.race([spool.changed(), aborted]);
      }
      if (signal.aborted) break;
      spool.take(batch, true);
      if (Number.isNaN(beginUs)) {
        beginUs = batch.fromUs;
        beginMs = performance.now();
      }
      if (speed === undefined) await wait(0); // the sending shares this thread
    }
    step = await batches.next();
  }
  if (step.done === true) return step.value;
  await batches.return(undefined as never); // closes the files
  return undefined;
}

/** How the flows of captures are cut into batches. */
export function captureRuns(speed?: number): RunLength {
  if (speed === undefined) return { flows: RUN_FLOWS, checkPackets: 1 << 14 };
  return { flows: RUN_FLOWS, checkPackets: 1 << 8, packetUs: LIVE_RUN_US * speed };
}

/**
 * Names captures by what is in them and how they are cut. Standard input cannot be read twice, so it is new each time.
 */
export async function captureBoot(paths: readonly string[], speed?: number): Promise<string> {
  if (paths.includes("-")) return randomUUID();
  const hash = createHash("sha256").update(JSON.stringify(captureRuns(speed)));
  for (const path of paths) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    hash.update("\n");
  }
  return `captures-${hash.digest("hex").slice(0, 24)}`;
}
