import { Worker } from "node:worker_threads";
import type { BatchSink } from "../batch-sink.js";
import type { EncodedBatch } from "../encoded-batch.js";
import type { FromCollector, ToCollector, ToldError } from "./collector-messages.js";
import type { CollectorSettings, CollectorTotals } from "./flow-collector.js";
import type { LiveState } from "./live-capture.js";
import { LiveCaptureError } from "./live-capture-error.js";

export interface CollectorOptions extends CollectorSettings {
  readonly sink: BatchSink;
  /** Told when the capture begins, pauses and goes on. */
  readonly onState?: (state: LiveState) => void;
  /** Told when a batch cannot be sent; it is sent again with the next ones. */
  readonly onSendError?: (error: unknown) => void;
}

export interface RunningCollector {
  /** As of half a second ago. */
  totals(): CollectorTotals;
  /** Ends the capture, ends all flows, and resolves when the sink has them. @throws {Error} If it does not take them. */
  stop(): Promise<CollectorTotals>;
}

class CollectorThread implements RunningCollector {
  readonly #worker: Worker;
  #totals: CollectorTotals | undefined; // there from the begin on
  #begin: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #stop: { readonly resolve: (totals: CollectorTotals) => void; readonly reject: (error: Error) => void } | undefined;

  constructor(readonly options: CollectorOptions) {
    const { sink: _, onState: __, onSendError: ___, ...settings } = options;
    this.#worker = new Worker(new URL("./collector-worker.js", import.meta.url), { workerData: settings });
    this.#worker.on("message", (message: FromCollector) => this.#take(message));
  }

  #tell(message: ToCollector): void {
    this.#worker.postMessage(message);
  }

  #errorOf({ code, message }: ToldError): LiveCaptureError {
    return new LiveCaptureError(code, this.options.interface, message);
  }

  #take(message: FromCollector): void {
    switch (message.kind) {
      case "begun":
        this.#totals = message.totals;
        this.#begin?.resolve();
        return;
      case "refused":
        this.#begin?.reject(this.#errorOf(message.error));
        return;
      case "capturing":
        this.options.onState?.(message);
        return;
      case "waiting":
        this.options.onState?.({ kind: "waiting", error: this.#errorOf(message.error) });
        return;
      case "batch":
        void this.#send(message.batch);
        return;
      case "lost":
        this.options.sink.lose(message.batch);
        return;
      case "totals":
        this.#totals = message.totals;
        return;
      case "stopped":
        this.#totals = message.totals;
        this.#stop?.resolve(message.totals);
        return;
      case "unstopped":
        this.#stop?.reject(new Error(message.message));
    }
  }

  async #send(batch: EncodedBatch): Promise<void> {
    try {
      await this.options.sink.take(batch);
      this.#tell({ kind: "sent" });
    } catch (error) {
      this.options.onSendError?.(error);
      this.#tell({ kind: "unsent", message: error instanceof Error ? error.message : String(error) });
    }
  }

  async begin(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#begin = { resolve, reject };
      });
    } catch (error) {
      await this.#worker.terminate();
      throw error;
    }
  }

  totals(): CollectorTotals {
    return this.#totals as CollectorTotals;
  }

  async stop(): Promise<CollectorTotals> {
    try {
      return await new Promise<CollectorTotals>((resolve, reject) => {
        this.#stop = { resolve, reject };
        this.#tell({ kind: "stop" });
      });
    } finally {
      await this.#worker.terminate();
    }
  }
}

/**
 * Collects flows from a live interface in a thread of its own and gives batches to the sink, twice a second. Flows are
 * told of in parts while they go on, see FlowTable.tellParts.
 * @throws {LiveCaptureError} If the capture cannot begin.
 */
export async function startCollector(options: CollectorOptions): Promise<RunningCollector> {
  const thread = new CollectorThread(options);
  await thread.begin();
  return thread;
}
