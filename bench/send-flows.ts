// Stands for the collectors of bench/pipeline-bench.ts: makes all batches first, says "ready", waits for a line, sends them.
// Arguments: capture, brokers, prefix, flows, flows a second (0: as fast as they are taken).
import { createInterface } from "node:readline/promises";
import { setTimeout as wait } from "node:timers/promises";
import { encodeFlowBatch } from "../model/flow-batch-codec.js";
import { FLOW_BUCKETS } from "../model/flow-bucket.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import { fullBatches } from "./codec-bench.js";

const [, , capture = "", brokers = "", prefix = "", count = "", rate = ""] = process.argv;
/** Requests under way at most, each with a batch of every bucket. */
const IN_FLIGHT = 4;

const all = await fullBatches(capture);
const messages: { key: string; value: Uint8Array; headers: Readonly<Record<string, string>> }[] = [];
let flows = 0;
for (let round = 0; flows < Number(count); round++) {
  for (const batch of all) {
    if (flows >= Number(count)) break;
    const bucket = messages.length % FLOW_BUCKETS;
    const sequence = Math.floor(messages.length / FLOW_BUCKETS);
    // Each round is the same traffic, later and from other ports.
    const laterUs = round * 10_000_000;
    const value = encodeFlowBatch({
      ...batch,
      origin: { collector: "bench", boot: "boot", sequence, bucket },
      startUs: batch.startUs.map((time) => time + laterUs),
      endUs: batch.endUs.map((time) => time + laterUs),
      originatorPort: batch.originatorPort.map((port) => (port + round * 977) & 0xffff),
    });
    messages.push({ key: String(bucket), value, headers: { schema: "portolan.flow-batch/1" } });
    flows += batch.length;
  }
}
const carrier = await kafkaCarrier({ brokers: brokers.split(","), clientId: "bench", prefix });
const input = createInterface({ input: process.stdin });
process.stdout.write(`ready ${flows}\n`);
await new Promise((resolve) => input.once("line", resolve));
input.close();

const flowsPerMessage = flows / messages.length;
const startMs = performance.now();
const before = process.cpuUsage();
const underWay = new Set<Promise<void>>();
for (let at = 0; at < messages.length; at += FLOW_BUCKETS) {
  const dueMs = Number(rate) === 0 ? 0 : ((at * flowsPerMessage) / Number(rate)) * 1000;
  const early = startMs + dueMs - performance.now();
  if (early > 1) await wait(early);
  while (underWay.size >= IN_FLIGHT) await Promise.race(underWay);
  const sent = carrier
    .sendAll("portolan.flows", messages.slice(at, at + FLOW_BUCKETS))
    .finally(() => underWay.delete(sent));
  underWay.add(sent);
}
await Promise.all(underWay);
const { user, system } = process.cpuUsage(before);
process.stdout.write(`sent ${(performance.now() - startMs) / 1000} ${(user + system) / 1e6}\n`);
await carrier.close();
