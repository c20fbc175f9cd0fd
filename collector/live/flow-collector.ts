import type { FlowBatch } from "../../model/flow-batch.js";
import type { BatchSink } from "../batch-sink.js";
import { encodeBatch, summarise } from "../encoded-batch.js";
import { FlowMeter, type MeterTotals } from "../flow-meter.js";
import type { FlowTimeouts, PartTimes } from "../flow-table.js";
import { addLoss, type LiveCapture, type LiveState, startLiveCapture } from "./live-capture.js";

/** What to collect; plain data, so that it can be given to another thread. */
export interface CollectorSettings {
  readonly interface: string;
  readonly collector: string; // see BatchOrigin
  readonly boot: string; // new at each start
  readonly snaplen?: number; // default 512: enough for most names; what is cut off is still counted
  readonly buckets?: number; // default 1
  readonly maxFlows?: number;
  readonly timeouts?: FlowTimeouts;
  readonly mostWaitingFlows?: number; // while sending is slow; then they are given up, and counted
  /** The last run did not end in good order, so what it saw last may be missing. */
  readonly isGapBefore?: boolean;
}

export interface CollectorTotals extends MeterTotals {
  readonly lost: number | "unknown"; // packets that the capture knows or fears it did not see
  readonly batches: number; // sent
}

export interface CollectorHandlers {
  readonly onState: (state: LiveState) => void;
  readonly sink: BatchSink;
  /** Told twice a second. */
  readonly onTotals: (totals: CollectorTotals) => void;
}

const DEFAULT_SNAPLEN = 512;
const EXPORT_EVERY_MS = 500;
/** Some 40 MiB of flows. */
const MOST_WAITING_FLOWS = 500_000;

/**
 * On a live interface a flow is told of before it ends. Packets come up to 1.3 s late (see tcpdump-source.ts), so younger
 * flows would be cut where the next read begins. A SYN is sent again for half a minute by most systems.
 */
const PART_TIMES: PartTimes = { decidedUs: 1_500_000, undecidedUs: 30_000_000, laterUs: 60_000_000 };

/** Makes flow batches of a live interface until it is stopped. Packets go on being taken while the sink is slow. */
export class FlowCollector {
  readonly #meter: FlowMeter;
  #capture: LiveCapture | undefined;
  #timer: NodeJS.Timeout | undefined;
  #loss: number | "unknown"; // not yet told in a batch
  readonly #unsent: FlowBatch[] = [];
  #sending: Promise<void> | undefined;
  #batches = 0;

  constructor(
    readonly settings: CollectorSettings,
    readonly handlers: CollectorHandlers,
  ) {
    const { collector, boot, buckets, maxFlows, timeouts } = settings;
    this.#loss = settings.isGapBefore === true ? "unknown" : 0;
    this.#meter = new FlowMeter({
      collector,
      boot,
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(buckets === undefined ? {} : { buckets }),
      ...(maxFlows === undefined ? {} : { maxFlows }),
    });
  }

  /** @throws {LiveCaptureError} If the capture cannot begin. */
  async begin(): Promise<void> {
    const meter = this.#meter;
    this.#capture = await startLiveCapture({
      interface: this.settings.interface,
      snaplen: this.settings.snaplen ?? DEFAULT_SNAPLEN,
      onState: this.handlers.onState,
      onPacket: (layer, bytes, start, capturedLength, wireLength, timeUs) =>
        meter.add(layer, bytes, start, capturedLength, wireLength, timeUs),
    });
    this.#timer = setInterval(() => this.#export(), EXPORT_EVERY_MS);
  }

  /** While sending is slow, flows wait in the table. */
  #export(): void {
    this.handlers.onTotals(this.totals());
    if (this.#sending !== undefined) {
      if (this.#meter.pending > (this.settings.mostWaitingFlows ?? MOST_WAITING_FLOWS)) this.#giveUp();
      return;
    }
    this.#collect(false);
    this.#sending = this.#send()
      .catch(() => {}) // what was not sent is sent with the next export
      .finally(() => {
        this.#sending = undefined;
      });
  }

  #collect(isLast: boolean): void {
    this.#loss = addLoss(this.#loss, this.#capture?.takeLoss() ?? 0);
    const meter = this.#meter;
    const nowUs = Date.now() * 1000;
    meter.sweep(nowUs);
    meter.tellParts(nowUs, PART_TIMES);
    const isAll = isLast || meter.mustFlush;
    const batches = [...(isAll ? meter.exportAll({ dropped: this.#loss }) : meter.export({ dropped: this.#loss }))];
    if (batches.length === 0) return;
    this.#loss = 0;
    this.#unsent.push(...batches);
  }

  #giveUp(): void {
    for (const batch of this.#meter.export({ dropped: 0 })) this.handlers.sink.lose(summarise(batch));
  }

  async #send(): Promise<void> {
    for (let batch = this.#unsent[0]; batch !== undefined; batch = this.#unsent[0]) {
      await this.handlers.sink.take(encodeBatch(batch));
      this.#unsent.shift();
      this.#batches++;
    }
  }

  totals(): CollectorTotals {
    return { ...this.#meter.totals(), lost: this.#capture?.totals().dropped ?? 0, batches: this.#batches };
  }

  /** Ends the capture, ends all flows, and resolves when they are sent. @throws what the sink throws */
  async stop(): Promise<CollectorTotals> {
    clearInterval(this.#timer);
    await this.#capture?.stop();
    await this.#sending;
    this.#collect(true);
    await this.#send();
    return this.totals();
  }
}
