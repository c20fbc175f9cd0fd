import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Store } from "../../analyzer/store/store.js";
import { encodeFlowBatch } from "../../model/flow-batch-codec.js";
import { encodeFlowLoss } from "../../model/flow-loss.js";
import { encodeHeartbeat, HEARTBEAT_VERSION } from "../../model/sensor-heartbeat.js";
import { kafkaCarrier } from "../../stream/kafka/kafka-carrier.js";
import { batchOf, originOf, SECOND, T0 } from "../analyzer/batches.js";
import { startBroker } from "../stream/kafka-broker.js";
import { AnalyzerProcess } from "./analyzer-process.js";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));
// Only the active segment of a partition is kept: what more comes deletes what came before.
const broker = await startBroker({
  properties: {
    "log.retention.bytes": "1",
    "log.segment.bytes": "1048576",
    "log.retention.check.interval.ms": "200",
    "log.segment.delete.delay.ms": "0",
    "log.initial.task.delay.ms": "0",
  },
});
const folder = mkdtempSync(join(tmpdir(), "portolan-analyzer-"));
after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const FLOWS = 20;
let scenes = 0;

/** A cluster of its own within the broker: topics and groups have a prefix. */
async function scene() {
  const prefix = `s${process.pid}-${scenes++}.`;
  const carrier = await kafkaCarrier({ brokers: [broker.bootstrap], clientId: "test", prefix });
  return {
    carrier,
    kafka: ["--kafka", broker.bootstrap, "--kafka-prefix", prefix],
    store: join(folder, `${prefix}duckdb`),
    /** How many files the broker has of a partition of the flows. */
    segments(partition: number): number {
      const log = join(broker.folder, "1/data", `${prefix}portolan.flows-${partition}`);
      return readdirSync(log).filter((name) => name.endsWith(".log")).length;
    },
    /** Batch `sequence` of a bucket, with flows that no other batch has. */
    async send(sequence: number, bucket = 0, collector = "a", filler = 0): Promise<void> {
      const flows = Array.from({ length: FLOWS }, (_, i) => ({
        from: `10.${bucket}.${sequence >> 8}.${sequence & 255}`,
        fromPort: 1024 + i,
        startUs: T0 + sequence * SECOND,
        ...(filler > 0 && i === 0 ? { scope: randomBytes(filler / 2).toString("hex") } : {}),
      }));
      const value = encodeFlowBatch(batchOf(originOf(collector, sequence, "boot-1", bucket), flows));
      await carrier.send("portolan.flows", { key: String(bucket), value, headers: {} });
    },
  };
}

/** Flows as they are counted, gaps, and batches taken. */
async function contentsOf(path: string) {
  const store = await Store.open({ path });
  const { windows } = await store.conversations({}, "hour");
  const gaps = await store.gaps();
  const sensors = await store.sensors();
  await store.close();
  return { flows: windows.reduce((sum, { flows }) => sum + flows.answered, 0), gaps, sensors };
}

test("an analyzer that is killed again and again stores every flow once, and a poison message stops nothing", async () => {
  const { carrier, kafka, store, send } = await scene();
  const letters: string[] = [];
  await carrier.subscribe("portolan.dead-letters", {
    positions: async () => new Map(),
    handle: async ({ headers }) => void letters.push(headers["portolan-code"] ?? JSON.stringify(headers)),
  });
  const args = [...kafka, "--store", store];
  let sequence = 0;
  const sendMore = async (count: number) => {
    for (const until = sequence + count; sequence < until; sequence++) await send(sequence, sequence % 3);
  };
  for (const more of [30, 45]) {
    const analyzer = new AnalyzerProcess(args);
    await sendMore(more);
    await analyzer.reaches("portolan_analyzer_flows_total", 1);
    await carrier.send("portolan.flows", { key: "1", value: new Uint8Array([1, 2, 3]), headers: {} });
    await sendMore(more);
    await analyzer.kill();
    await sendMore(3);
  }
  const last = new AnalyzerProcess(args);
  await last.says(/explorer/);
  while ((await last.asks<{ flows: { answered: number } }>("/api/overview").catch(() => undefined)) === undefined) {
    await wait(50);
  }
  const wanted = sequence * FLOWS;
  const stored = async () => {
    const { sensors } = await last.asks<{ sensors: { stored?: { flows: number } }[] }>("/api/sensors");
    return sensors.reduce((sum, sensor) => sum + (sensor.stored?.flows ?? 0), 0);
  };
  while ((await stored()) < wanted) await wait(100);
  await last.stop();
  const { flows, gaps } = await contentsOf(store);
  assert.equal(flows, wanted);
  // Each bucket has its own sequence here with two of three numbers missing, which is what the gaps say.
  assert.ok(gaps.every(({ reason }) => /never arrived$/.test(reason)));
  while (letters.length < 2) await wait(50); // what the broker has of them, this process gets in its own time
  assert.ok(
    letters.every((code) => code === "not-arrow"),
    letters.join(),
  );
  await carrier.close();
});

test("an inventory that is published after the flows repairs them; heartbeats and losses are shown", async () => {
  const { carrier, kafka, store, send } = await scene();
  const analyzer = new AnalyzerProcess([...kafka, "--store", store]);
  await send(0);
  const nowUs = Date.now() * 1000;
  const beat = { version: HEARTBEAT_VERSION, sensor: "a", kind: "collector", boot: "b", software: "9.9.9" } as const;
  await carrier.send("portolan.sensors", {
    key: "a",
    value: encodeHeartbeat({
      ...{ ...beat, atUs: nowUs, startedUs: nowUs, lagMs: 7, clockOffsetMs: -3 },
      interfaces: [{ name: "eth0", program: "tcpdump", packets: 5, dropped: 1 }],
    }),
    headers: {},
  });
  const loss = { version: 1, collector: "a", boot: "boot-1", bucket: 0, first: 1, last: 4, flows: 77 } as const;
  await carrier.send("portolan.flows", {
    key: "0",
    value: encodeFlowLoss({ ...loss, fromUs: T0, untilUs: T0 + SECOND, reason: "spool-full" }),
    headers: { schema: "portolan.flow-loss/1" },
  });
  const publish = (text: string) => {
    const file = join(folder, "inventory.yaml");
    writeFileSync(file, text);
    const run = spawnSync(process.execPath, [PORTOLAN, "inventory", "publish", "-i", file, ...kafka, "--json"]);
    assert.equal(run.status, 0, String(run.stderr));
    return JSON.parse(String(run.stdout)) as unknown;
  };
  await analyzer.reaches("portolan_analyzer_flows_total", FLOWS);
  const web = "{ namespace: shop, name: web, addresses: [10.0.0.2] }";
  const db = "{ namespace: shop, name: db, addresses: [10.0.0.3] }";
  assert.deepEqual(publish(`{ version: 1, workloads: [${web}, ${db}] }`), { workloads: 2, changed: 4, removed: 0 });
  await analyzer.says(/inventory of 2 workloads taken over/);
  assert.deepEqual(publish(`{ version: 1, workloads: [${web}] }`), { workloads: 1, changed: 0, removed: 1 });
  await analyzer.says(/inventory of 1 workloads taken over/);
  await analyzer.asks("/api/nodes/workload:shop%2Fweb?level=workload");
  interface Shown {
    readonly sensors: readonly { id: string; heartbeat?: { software: string; lagMs?: number } }[];
    readonly gaps: readonly { reason: string }[];
  }
  const shown = () => analyzer.asks<Shown>("/api/sensors");
  // Heartbeats, its own and the collector's, and losses come by ways of their own, none of which waits for another.
  const isWhole = ({ sensors, gaps }: Shown) =>
    sensors.some(({ id, heartbeat }) => id === "a" && heartbeat !== undefined) &&
    sensors.some(({ id }) => id.startsWith("portolan-analyzer-")) &&
    gaps.some(({ reason }) => /batches 1 to 4 .* 77 flows: given up/.test(reason));
  let last = await shown();
  for (const end = Date.now() + 180_000; !isWhole(last); last = await shown()) {
    assert.ok(Date.now() < end, JSON.stringify(last));
    await wait(100);
  }
  assert.deepEqual(
    last.sensors.filter(({ id }) => id === "a").map(({ heartbeat }) => [heartbeat?.software, heartbeat?.lagMs]),
    [["9.9.9", 7]],
  );
  await analyzer.stop();
  const again = await Store.open({ path: store });
  assert.ok(
    (await again.heartbeats()).some(({ sensor, interfaces }) => sensor === "a" && interfaces[0]?.dropped === 1),
  );
  assert.deepEqual(
    (await again.gaps()).map(({ lostFlows }) => lostFlows),
    [77],
  );
  await again.close();
  await carrier.close();
});

for (const how of ["ended", "paused"] as const) {
  test(`what the log deleted while the analyzer was ${how} is a gap with its offsets, and reading goes on behind it`, async () => {
    const { carrier, kafka, store, send, segments } = await scene();
    const args = [...kafka, "--store", store];
    const first = new AnalyzerProcess(args);
    await send(0);
    await first.reaches("portolan_analyzer_flows_total", FLOWS);
    if (how === "ended") await first.stop();
    else first.signal("SIGSTOP");
    // More than a segment, so that the ones before are deleted while nobody reads.
    for (let sequence = 1; sequence <= 40; sequence++) await send(sequence, 0, "a", 400_000);
    while (segments(0) > 1) await wait(100);
    await send(41);
    const second = how === "ended" ? new AnalyzerProcess(args) : first;
    second.signal("SIGCONT");
    const boundsOf = (gaps: readonly { collector: string; reason: string }[]) =>
      /^portolan\.flows, partition 0: messages (\d+) to (\d+) were deleted before they were read$/.exec(
        gaps.find(({ collector }) => collector === "*")?.reason ?? "",
      );
    // The gap first, then all that stands behind it.
    for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
      await wait(100);
      const { sensors, gaps } = await second.asks<{
        sensors: { stored?: { flows: number } }[];
        gaps: { collector: string; reason: string }[];
      }>("/api/sensors");
      const [, first, last] = boundsOf(gaps) ?? [];
      if (first === undefined) continue;
      const stored = sensors.reduce((sum, sensor) => sum + (sensor.stored?.flows ?? 0), 0);
      left = (42 - (Number(last) - Number(first) + 1)) * FLOWS - stored;
    }
    await second.stop();
    const { gaps, flows } = await contentsOf(store);
    const lost = gaps.find(({ collector }) => collector === "*");
    const match = boundsOf(gaps);
    assert.ok(match !== null, JSON.stringify(gaps));
    assert.ok((lost?.untilUs ?? 0) >= (lost?.fromUs ?? 0) && (lost?.fromUs ?? 0) > 0);
    const [from, to] = [Number(match[1]), Number(match[2])];
    assert.equal(flows, (42 - (to - from + 1)) * FLOWS);
    const hole = gaps.find(({ collector }) => collector === "a");
    assert.match(hole?.reason ?? "", new RegExp(`^batch(es)? ${from}( to ${to})? of start`));
    await carrier.close();
  });
}

test("an analyzer that is told to end while the cluster stands still ends all the same", async () => {
  const { carrier, kafka, store } = await scene();
  broker.pause();
  const analyzer = new AnalyzerProcess([...kafka, "--store", store]);
  try {
    await analyzer.says(/explorer: http/);
    assert.equal((await analyzer.stop()).totals.flows, 0);
  } finally {
    broker.resume();
    await analyzer.kill();
  }
  await carrier.close();
});
