// Collects on an interface for some seconds and prints what it counted. Run by the live bench as a process of its own.
// Arguments: interface, seconds
import { setTimeout as wait } from "node:timers/promises";
import { carrierSink } from "../collector/batch-sink.js";
import { startCollector } from "../collector/live/live-collector.js";
import { decodeFlowBatch } from "../model/flow-batch-codec.js";
import { inProcessCarrier } from "../stream/in-process.js";

const [name, seconds] = process.argv.slice(2) as [string, string];
const carrier = inProcessCarrier();
let datagrams = 0;
const subscription = await carrier.subscribe("portolan.flows", {
  positions: async () => new Map(),
  async handle({ value }) {
    const { protocol, originatorPackets } = decodeFlowBatch(value);
    for (const [row, number] of protocol.entries()) if (number === 17) datagrams += originatorPackets[row] ?? 0;
  },
});
let program = "";
const collector = await startCollector({
  interface: name,
  collector: "bench",
  boot: "bench",
  sink: carrierSink(carrier),
  onState: (state) => {
    if (state.kind === "capturing") program = state.program;
  },
});
await wait(Number(seconds) * 1000);
const { lost } = await collector.stop();
await subscription.close();
await carrier.close();
process.stdout.write(`${JSON.stringify({ program, datagrams, lost })}\n`);
