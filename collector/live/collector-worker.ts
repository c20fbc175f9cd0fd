// The collecting thread: packets are taken here, so that whatever keeps the main thread busy loses none.
// workerData: CollectorSettings. Messages: see collector-messages.ts.
import { parentPort, workerData } from "node:worker_threads";
import type { FromCollector, ToCollector } from "./collector-messages.js";
import { type CollectorSettings, FlowCollector } from "./flow-collector.js";
import { LiveCaptureError } from "./live-capture-error.js";

if (parentPort === null) throw new Error("Cannot collect here: this script wants to be a worker thread");
const port = parentPort;
const tell = (message: FromCollector, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** Settles the batch under way; there is one at a time. */
let settle: (message: Extract<ToCollector, { kind: "sent" | "unsent" }>) => void = () => {};

const collector = new FlowCollector(workerData as CollectorSettings, {
  onState: (state) => {
    if (state.kind === "capturing") tell(state);
    else tell({ kind: "waiting", error: { code: state.error.code, message: state.error.message } });
  },
  onTotals: (totals) => tell({ kind: "totals", totals }),
  sink: {
    take: (batch) =>
      new Promise((resolve, reject) => {
        settle = (message) => (message.kind === "sent" ? resolve() : reject(new Error(message.message)));
        const bytes = new Uint8Array(batch.bytes); // what it is part of may be shared
        tell({ kind: "batch", batch: { ...batch, bytes } }, [bytes.buffer]);
      }),
    lose: (batch) => tell({ kind: "lost", batch }),
  },
});

port.on("message", (message: ToCollector) => {
  if (message.kind !== "stop") {
    settle(message);
    return;
  }
  collector.stop().then(
    (totals) => tell({ kind: "stopped", totals }),
    (error: unknown) => tell({ kind: "unstopped", message: error instanceof Error ? error.message : String(error) }),
  );
});

try {
  await collector.begin();
  tell({ kind: "begun", totals: collector.totals() });
} catch (error) {
  if (!(error instanceof LiveCaptureError)) throw error;
  tell({ kind: "refused", error: { code: error.code, message: error.message } });
}
