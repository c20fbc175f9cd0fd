import { FLOW_BUCKETS } from "../model/flow-bucket.js";
import type { WatchedInterface } from "../model/sensor-heartbeat.js";
import type { Carrier } from "../stream/carrier.js";
import type { BatchSink } from "./batch-sink.js";
import { collectCaptures } from "./collect-captures.js";
import { addMeterTotals } from "./flow-meter.js";
import { Heartbeats } from "./heartbeats.js";
import type { CollectorTotals } from "./live/flow-collector.js";
import { addLoss, type LiveState } from "./live/live-capture.js";
import { type RunningCollector, startCollector } from "./live/live-collector.js";
import type { ReadTotals } from "./read-captures.js";
import { Spool, type SpoolStatus } from "./spool/spool.js";
import { SpoolSender } from "./spool/spool-sender.js";

export interface CollectionOptions {
  readonly collector: string;
  readonly boot: string; // new at each start
  readonly software: string; // version, for the heartbeat
  readonly spoolFolder: string;
  readonly spoolBytes: number;
  readonly carrier: Carrier; // need not reach its broker yet
  /** Told when sending begins to fail, and with undefined when it works again. */
  readonly onTrouble: (error: unknown) => void;
}

export interface CollectionTotals {
  readonly packets: number;
  readonly flows: number; // made
  readonly lostPackets: number | "unknown";
  readonly sentFlows: number; // acknowledged by the broker, those of earlier runs included
  readonly spool: SpoolStatus;
}

/**
 * How long an ending collector tries to get rid of what is in its spool. The rest is sent by the next one. A broker that took
 * all there was until now is given longer: it is slow rather than away.
 */
const DRAIN_MS = 15_000;
const DRAIN_AWAY_MS = 5_000;

/** One interface that is captured on, as heartbeats tell of it. */
class WatchedCapture {
  collector: RunningCollector | undefined;
  state: LiveState | undefined;
  #program = "";

  constructor(
    readonly name: string,
    readonly onState: (name: string, state: LiveState) => void,
  ) {}

  readonly takeState = (state: LiveState): void => {
    if (state.kind === "capturing") this.#program = state.program;
    this.state = state;
    this.onState(this.name, state);
  };

  watched(): WatchedInterface {
    const totals = this.collector?.totals();
    return {
      name: this.name,
      program: this.#program,
      packets: totals?.packets ?? 0,
      dropped: totals?.lost ?? 0,
      ...(this.state?.kind === "waiting" ? { waiting: this.state.error.message } : {}),
    };
  }
}

/** A collector with its spool: captures or reads, writes down, sends, and tells that it lives. */
export class Collection {
  readonly #spool: Spool;
  readonly #sender: SpoolSender;
  readonly #heartbeats: Heartbeats;
  readonly #captures: WatchedCapture[] = [];
  #file: WatchedInterface | undefined;
  #read: ReadTotals | undefined;
  #isSending = true;
  #sendFailures = 0;

  /** @throws {SpoolError} If the spool cannot be used. */
  constructor(readonly options: CollectionOptions) {
    const { carrier, collector: sensor, boot, software } = options;
    this.#spool = Spool.open({ folder: options.spoolFolder, limitBytes: options.spoolBytes });
    const spool = this.#spool;
    this.#sender = new SpoolSender(spool, carrier, {
      onTrouble: (error) => {
        this.#isSending = error === undefined;
        if (error !== undefined) this.#sendFailures++;
        options.onTrouble(error);
      },
    });
    this.#heartbeats = new Heartbeats({ sensor, boot, software, carrier, spool, interfaces: () => this.#interfaces() });
  }

  #interfaces(): WatchedInterface[] {
    return [...this.#captures.map((capture) => capture.watched()), ...(this.#file === undefined ? [] : [this.#file])];
  }

  /**
   * Captures on interfaces until `end`. Each of several is an observer of its own, named "collector/interface", as a flow
   * that crosses two of them is one flow seen twice.
   * @throws {LiveCaptureError} If one of the captures cannot begin.
   */
  async capture(names: readonly string[], onState: (name: string, state: LiveState) => void): Promise<void> {
    const { collector, boot } = this.options;
    const isGapBefore = !this.#spool.wasClean;
    const sink: BatchSink = {
      take: async (batch) => this.#spool.take(batch),
      lose: (batch) => this.#spool.lose(batch, "memory-full"),
    };
    for (const name of names) {
      const capture = new WatchedCapture(name, onState);
      this.#captures.push(capture);
      capture.collector = await startCollector({
        interface: name,
        collector: names.length === 1 ? collector : `${collector}/${name}`,
        boot,
        buckets: FLOW_BUCKETS,
        isGapBefore,
        sink,
        onState: capture.takeState,
      });
    }
  }

  /** Reads captures, see collectCaptures. Resolves when they are in the spool, or when `signal` ends it. */
  async read(paths: readonly string[], signal: AbortSignal, speed?: number): Promise<ReadTotals | undefined> {
    const onPackets = (packets: number) => {
      this.#file = { name: paths.join(", ").slice(0, 1024), program: "file", packets, dropped: 0 };
    };
    const { collector } = this.options;
    const how = { collector, spool: this.#spool, signal, onPackets, ...(speed === undefined ? {} : { speed }) };
    this.#read = await collectCaptures(paths, how);
    return this.#read;
  }

  /** What each capture is doing now. */
  captures(): readonly { readonly name: string; readonly state: LiveState | undefined }[] {
    return this.#captures;
  }

  /** Of all captures together, as of half a second ago; undefined before the first has begun. */
  totals(): CollectorTotals | undefined {
    const all = this.#captures.flatMap(({ collector }) => (collector === undefined ? [] : [collector.totals()]));
    return all.length === 0 ? undefined : all.reduce(addTotals);
  }

  spool(): SpoolStatus {
    return this.#spool.status();
  }

  sentFlows(): number {
    return this.#sender.totals().flows;
  }

  /** Whether the broker takes what it is sent, as far as it was tried. */
  isSending(): boolean {
    return this.#isSending;
  }

  /** Times that the broker began to take nothing. */
  sendFailures(): number {
    return this.#sendFailures;
  }

  /** Resolves when the broker has everything, or when `signal` ends the waiting. */
  async sent(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#sender.drain(1000))) {}
  }

  /** Ends captures and flows, sends for a few seconds what it can, and leaves the rest to the next start. */
  async end(): Promise<CollectionTotals> {
    const ended: CollectorTotals[] = [];
    for (const { collector } of this.#captures) if (collector !== undefined) ended.push(await collector.stop());
    const { packets, flows, lost } = ended.length > 0 ? ended.reduce(addTotals) : (this.#read ?? NOTHING);
    await this.#sender.drain(this.#sender.isFailing ? DRAIN_AWAY_MS : DRAIN_MS);
    await this.#heartbeats.end();
    this.#sender.stop();
    const spool = this.#spool.status();
    await this.#spool.close();
    return { packets, flows, lostPackets: lost, sentFlows: this.#sender.totals().flows, spool };
  }
}

const NOTHING = { packets: 0, flows: 0, lost: "unknown" } as const;

function addTotals(a: CollectorTotals, b: CollectorTotals): CollectorTotals {
  return { ...addMeterTotals(a, b), lost: addLoss(a.lost, b.lost), batches: a.batches + b.batches };
}
