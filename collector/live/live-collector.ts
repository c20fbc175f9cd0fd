import { FLOW_BATCH_VERSION, type FlowBatch } from "../../model/flow-batch.js";
import { encodeFlowBatch } from "../../model/flow-batch-codec.js";
import type { Carrier } from "../../stream/carrier.js";
import { FlowMeter, type MeterTotals } from "../flow-meter.js";
import type { FlowTimeouts, PartTimes } from "../flow-table.js";
import { addLoss, type LiveCapture, type LiveState, startLiveCapture } from "./live-capture.js";

export interface CollectorOptions {
  readonly interface: string;
  readonly collector: string; // see BatchOrigin
  readonly boot: string; // new at each start
  readonly carrier: Carrier; // batches go to its topic portolan.flows
  readonly snaplen?: number; // default 512: enough for most names; what is cut off is still counted
  readonly buckets?: number; // default 1
  readonly maxFlows?: number;
  readonly timeouts?: FlowTimeouts;
  /** Told when the capture begins, pauses and goes on. */
  readonly onState?: (state: LiveState) => void;
  /** Told when batches cannot be sent; they are sent again with the next ones. */
  readonly onSendError?: (error: unknown) => void;
}

export interface CollectorTotals extends MeterTotals {
  readonly lost: number | "unknown"; // packets that the capture knows or fears it did not see
  readonly batches: number; // sent
}

export interface RunningCollector {
  totals(): CollectorTotals;
  /** Ends the capture, ends all flows, and resolves when the carrier has them. @throws what the carrier throws */
  stop(): Promise<CollectorTotals>;
}

const DEFAULT_SNAPLEN = 512;
const EXPORT_EVERY_MS = 1000;

/** On a live interface a flow is told of before it ends. A SYN is sent again for half a minute by most systems. */
const PART_TIMES: PartTimes = { decidedUs: 1_000_000, undecidedUs: 30_000_000, laterUs: 60_000_000 };

class Collector implements RunningCollector {
  readonly #meter: FlowMeter;
  #capture: LiveCapture | undefined;
  #timer: NodeJS.Timeout | undefined;
  #loss: number | "unknown" = 0; // not yet told in a batch
  #unsent: FlowBatch[] = [];
  #sending: Promise<void> | undefined;
  #batches = 0;

  constructor(readonly options: CollectorOptions) {
    const { collector, boot, buckets, maxFlows, timeouts } = options;
    this.#meter = new FlowMeter({
      collector,
      boot,
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(buckets === undefined ? {} : { buckets }),
      ...(maxFlows === undefined ? {} : { maxFlows }),
    });
  }

  async begin(): Promise<void> {
    const meter = this.#meter;
    this.#capture = await startLiveCapture({
      interface: this.options.interface,
      snaplen: this.options.snaplen ?? DEFAULT_SNAPLEN,
      onState: (state) => this.options.onState?.(state),
      onPacket: (layer, bytes, start, capturedLength, wireLength, timeUs) =>
        meter.add(layer, bytes, start, capturedLength, wireLength, timeUs),
    });
    this.#timer = setInterval(() => this.#export(), EXPORT_EVERY_MS);
  }

  /** While the carrier is slow, flows wait in the table and packets go on being taken. */
  #export(): void {
    if (this.#sending !== undefined) return;
    this.#collect(false);
    this.#sending = this.#send()
      .catch((error) => this.options.onSendError?.(error))
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

  async #send(): Promise<void> {
    for (let batch = this.#unsent[0]; batch !== undefined; batch = this.#unsent[0]) {
      await this.options.carrier.send("portolan.flows", {
        key: String(batch.origin.bucket),
        value: encodeFlowBatch(batch),
        headers: { schema: `portolan.flow-batch/${FLOW_BATCH_VERSION}` },
      });
      this.#unsent.shift();
      this.#batches++;
    }
  }

  totals(): CollectorTotals {
    return { ...this.#meter.totals(), lost: this.#capture?.totals().dropped ?? 0, batches: this.#batches };
  }

  async stop(): Promise<CollectorTotals> {
    clearInterval(this.#timer);
    await this.#capture?.stop();
    await this.#sending;
    this.#collect(true);
    await this.#send();
    return this.totals();
  }
}

/**
 * Collects flows from a live interface and sends batches through the carrier, every second. Flows are told of in parts while
 * they go on, see FlowTable.tellParts.
 * @throws {LiveCaptureError} If the capture cannot begin.
 */
export async function startCollector(options: CollectorOptions): Promise<RunningCollector> {
  const collector = new Collector(options);
  await collector.begin();
  return collector;
}
