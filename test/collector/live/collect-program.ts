// Runs the collector on an interface and tells on stdout, a JSON document a line, what happens. SIGTERM ends it.
// Arguments: interface; a FIFO whose reading keeps the main thread busy from SIGUSR2 on until something is written to it
import { readFileSync } from "node:fs";
import { carrierSink } from "../../../collector/batch-sink.js";
import { LiveCaptureError } from "../../../collector/live/live-capture-error.js";
import { startCollector } from "../../../collector/live/live-collector.js";
import { decodeFlowBatch } from "../../../model/flow-batch-codec.js";
import { flowAt } from "../../../model/flow-rows.js";
import { inProcessCarrier } from "../../../stream/in-process.js";

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

const carrier = inProcessCarrier();
const subscription = await carrier.subscribe("portolan.flows", {
  positions: async () => new Map(),
  async handle({ value }) {
    const batch = decodeFlowBatch(value);
    for (let row = 0; row < batch.length; row++) tell({ flow: flowAt(batch, row), loss: batch.loss });
  },
});
const starting = startCollector({
  interface: process.argv[2] as string,
  collector: "test",
  boot: "boot",
  sink: carrierSink(carrier),
  onState: (state) =>
    tell(state.kind === "capturing" ? { state } : { state: { kind: "waiting", error: state.error.message } }),
});
let seen = () => 0;
const seeing = setInterval(() => tell({ seen: seen() }), 200);
// Before anything is told, since whoever hears of it may send a signal at once.
process.on("SIGUSR2", () => {
  tell({ busy: true });
  readFileSync(process.argv[3] as string);
});
process.on("SIGTERM", async () => {
  const collector = await starting;
  clearInterval(seeing);
  const totals = await collector.stop();
  await subscription.close();
  tell({ totals });
});
try {
  const collector = await starting;
  seen = () => collector.totals().packets;
} catch (error) {
  clearInterval(seeing);
  if (!(error instanceof LiveCaptureError)) throw error;
  process.stderr.write(`${error.message}\n`);
  await carrier.close();
  process.exitCode = error.exitCode;
}
