import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { generateCapture, USUAL_TRAFFIC } from "../../bench/generate-capture.js";
import { captureBoot, captureRuns } from "../../collector/collect-captures.js";
import { readCaptures } from "../../collector/read-captures.js";
import { FLOW_BUCKETS } from "../../model/flow-bucket.js";
import { PortolanProcess } from "../cli/portolan-process.js";

/** What one batch has, enough to tell it from any other. */
export interface BatchContent {
  readonly flows: number;
  readonly packets: number;
}

export interface SenderOptions {
  readonly name: string; // of the collector
  readonly folder: string;
  readonly seed: number;
  readonly packets: number; // of one capture
  readonly flowsPerSecond: number;
  readonly speed: number;
  readonly args: readonly string[]; // of portolan collect
  readonly spool?: string; // folder; in `folder` unless told
  readonly within?: readonly string[]; // words before the command
}

/**
 * A real collector that reads one made capture after the other, as live traffic, and is started again when it is killed. The
 * seed alone decides which flows there are, and in which batches.
 */
export class CaptureSender {
  /** Every batch that was or will be made: "boot/bucket#sequence". */
  readonly made = new Map<string, BatchContent>();
  captures = 0;
  #process: PortolanProcess | undefined;
  #mayStart: Promise<void> = Promise.resolve();
  #isEnding = false;

  constructor(readonly options: SenderOptions) {}

  get isRunning(): boolean {
    return this.#process?.isRunning === true;
  }

  /** What the collectors said, up to the last that ended. */
  said = "";

  get madeFlows(): number {
    return Array.from(this.made.values()).reduce((sum, { flows }) => sum + flows, 0);
  }

  /** Resolves when one of the collectors has said what is wanted. */
  async says(wanted: RegExp): Promise<void> {
    while (!wanted.test(this.said + this.#process?.errors)) await wait(50);
  }

  async #makeCapture(): Promise<string> {
    const { name, folder, seed, packets, flowsPerSecond, speed } = this.options;
    const path = join(folder, `${name}-${this.captures}.pcap`);
    const shape = { ...USUAL_TRAFFIC, packets, flowsPerSecond, seed: seed * 100_000 + this.captures };
    generateCapture(path, shape);
    const boot = await captureBoot([path], speed);
    const runs = captureRuns(speed);
    for await (const batch of readCaptures([path], { collector: name, boot, buckets: FLOW_BUCKETS, runs })) {
      const sum = (column: Float64Array) => column.reduce((total, count) => total + count, 0);
      const packetsOfBatch = sum(batch.originatorPackets) + sum(batch.responderPackets);
      const key = `${boot}/${batch.origin.bucket}#${batch.origin.sequence}`;
      this.made.set(key, { flows: batch.length, packets: packetsOfBatch });
    }
    this.captures++;
    return path;
  }

  /** Sends captures until `end`; resolves when the last of them is with the broker. */
  async run(): Promise<void> {
    const { name, folder, speed, args, within } = this.options;
    while (!this.#isEnding) {
      const path = await this.#makeCapture();
      for (let code: number | null = null; code !== 0; ) {
        await this.#mayStart;
        const spool = this.options.spool ?? join(folder, `${name}-spool`);
        const all = [
          "collect",
          "--read",
          path,
          "--speed",
          String(speed),
          "--collector",
          name,
          "--spool",
          spool,
          ...args,
        ];
        this.#process = new PortolanProcess(all, within);
        code = await this.#process.exit();
        this.said += this.#process.errors;
        if (code === null && this.#isEnding) return;
        assert.ok(code === 0 || code === null, `${name} ended with ${code}: ${this.#process.errors}`);
      }
      rmSync(path);
    }
  }

  /** Kills the collector; it starts again when `back` resolves. */
  async kill(back: Promise<void>): Promise<void> {
    this.#mayStart = back;
    await this.#process?.kill();
  }

  /** The capture at hand is the last one. */
  end(): void {
    this.#isEnding = true;
  }
}
