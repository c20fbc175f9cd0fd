import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Store } from "../../analyzer/store/store.js";
import { encodeFlowBatch } from "../../model/flow-batch-codec.js";
import { FLOW_BUCKETS } from "../../model/flow-bucket.js";
import { kafkaCarrier } from "../../stream/kafka/kafka-carrier.js";
import { batchOf, originOf, SECOND, T0 } from "../analyzer/batches.js";
import { startBroker } from "../stream/kafka-broker.js";
import { AnalyzerProcess } from "./analyzer-process.js";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));
const broker = await startBroker();
const folder = mkdtempSync(join(tmpdir(), "portolan-group-"));
after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const FLOWS = 10;
const prefix = `g${process.pid}.`;
const kafka = ["--kafka", broker.bootstrap, "--kafka-prefix", prefix];
const storeOf = (name: string) => join(folder, `${name}.duckdb`);

async function flowsIn(name: string): Promise<number> {
  const store = await Store.open({ path: storeOf(name) });
  const sensors = await store.sensors();
  await store.close();
  return sensors.reduce((sum, { flows }) => sum + flows, 0);
}

/** graph.json and policy.json of several stores, by the verb that people use. */
function chartOf(names: readonly string[], out: string): { texts: string[]; flows: number; duplicates: number } {
  const chart = join(folder, `${out}-chart`);
  const args = ["merge", "--json", "--out", storeOf(out), "--chart", chart, ...names.map(storeOf)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [PORTOLAN, ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const texts = ["graph.json", "policy.json"].map((name) => readFileSync(join(chart, name), "utf8"));
  return { texts, ...(JSON.parse(stdout) as { flows: number; duplicates: number }) };
}

test("analyzers of one group share the partitions; what moves, cleanly or by a kill, is in the merged store once", async () => {
  const carrier = await kafkaCarrier({ brokers: [broker.bootstrap], clientId: "test", prefix });
  let sequence = 0;
  const send = async (batches: number) => {
    for (const until = sequence + batches; sequence < until; sequence++) {
      for (let bucket = 0; bucket < FLOW_BUCKETS; bucket++) {
        const flows = Array.from({ length: FLOWS }, (_, i) => ({
          from: `10.0.${bucket}.${1 + (sequence % 5)}`,
          to: `10.1.0.${1 + (sequence % 3)}`,
          fromPort: 1024 + sequence * FLOWS + i,
          startUs: T0 + sequence * SECOND,
        }));
        const value = encodeFlowBatch(batchOf(originOf("a", sequence, "boot-1", bucket), flows));
        await carrier.send("portolan.flows", { key: String(bucket), value, headers: {} });
      }
    }
  };
  const sent = () => sequence * FLOW_BUCKETS * FLOWS;
  const start = (name: string, group: string[] = ["--group", "all"]) =>
    new AnalyzerProcess([...kafka, "--store", storeOf(name), ...group]);
  const flowsOf = (analyzer: AnalyzerProcess) => analyzer.metric("portolan_analyzer_flows_total");
  const reached = async (analyzers: readonly AnalyzerProcess[], wanted: number) => {
    for (let flows = 0; flows < wanted; await wait(100)) {
      flows = (await Promise.all(analyzers.map(flowsOf))).reduce((a, b) => a + b, 0);
    }
  };

  const one = start("one");
  await send(5);
  await reached([one], sent());
  const two = start("two");
  await two.says(/explorer/);
  // From some point on both take part.
  for (; (await flowsOf(two)) === 0; await wait(50)) await send(1);
  await reached([one, two], sent());
  await one.stop();
  assert.ok((await flowsIn("one")) < sent());
  await send(3);
  // What one had moves to two without a batch being read twice.
  const before = await flowsIn("one");
  await reached([two], sent() - before);
  const three = start("three");
  await three.says(/explorer/);
  for (; (await flowsOf(three)) === 0; await wait(50)) await send(1);
  await two.kill();
  await send(3);
  const last = start("all", []);
  await reached([last], sent());
  await last.stop();
  // The group waits for the killed one's session to end; then three has all partitions.
  const killed = await flowsIn("two");
  for (let flows = 0; flows < sent() - before - killed; await wait(200)) flows = await flowsOf(three);
  while ((await three.metric("portolan_analyzer_batches_total")) < FLOW_BUCKETS) await wait(100);
  await three.stop();

  let merged = chartOf(["one", "two", "three"], "merged");
  // The group need not know of all that two had stored, and three counts what it reads again: it may have been ended early.
  for (let times = 1; merged.flows < sent(); times++) {
    const again = start("three");
    await reached([again], sent() - merged.flows);
    await again.stop();
    merged = chartOf(["one", "two", "three"], `merged-${times}`);
  }
  assert.equal(merged.flows, sent());
  assert.deepEqual(merged.texts, chartOf(["all"], "alone").texts);
  await carrier.close();
});
