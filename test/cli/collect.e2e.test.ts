import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readCaptures } from "../../collector/read-captures.js";
import { scanRecord } from "../../collector/spool/spool-record.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import { decodeFlowBatch } from "../../model/flow-batch-codec.js";
import { parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import { kafkaCarrier } from "../../stream/kafka/kafka-carrier.js";
import { startBroker } from "../stream/kafka-broker.js";
import { PortolanProcess } from "./portolan-process.js";

const LAB = fileURLToPath(new URL("../../../test/fixtures/lab/lab.pcap", import.meta.url));

const SPOOL = mkdtempSync(join(tmpdir(), "portolan-collect-"));
after(() => rmSync(SPOOL, { recursive: true }));

const broker = await startBroker();
after(() => broker.stop());
let prefixes = 0;

/** What arrives at the broker in topics of this test's own. */
class Arrivals {
  readonly batches: FlowBatch[] = [];
  readonly heartbeats: SensorHeartbeat[] = [];
  readonly prefix = `c${prefixes++}.`;

  async listen(context: TestContext): Promise<void> {
    const carrier = await kafkaCarrier({ brokers: [broker.bootstrap], clientId: "test", prefix: this.prefix });
    context.after(() => carrier.close());
    const positions = async () => new Map();
    await carrier.subscribe("portolan.flows", {
      positions,
      handle: async ({ key, value, partition }) => {
        const batch = decodeFlowBatch(value);
        assert.equal(key, String(batch.origin.bucket));
        assert.equal(partition, batch.origin.bucket);
        this.batches.push(batch);
      },
    });
    await carrier.subscribe("portolan.sensors", {
      positions,
      handle: async ({ key, value }) => {
        const beat = parseHeartbeat(value);
        assert.equal(key, beat.sensor);
        this.heartbeats.push(beat);
      },
    });
  }

  /** Flows of all batches, each batch counted once. */
  get flows(): number {
    return once(this.batches).reduce((sum, { length }) => sum + length, 0);
  }

  datagramsTo(port: number): number {
    return datagramsTo(port, once(this.batches));
  }
}

/** A batch may come twice. */
const once = (batches: readonly FlowBatch[]) => [
  ...new Map(batches.map((batch) => [JSON.stringify(batch.origin), batch])).values(),
];

function datagramsTo(port: number, batches: readonly FlowBatch[]): number {
  let packets = 0;
  for (const batch of batches) {
    for (let row = 0; row < batch.length; row++) {
      if (batch.responderPort[row] === port) packets += batch.originatorPackets[row] ?? 0;
      // An answer that came late, when the flow of the question was over, has begun another one.
      if (batch.originatorPort[row] === port) packets += batch.responderPackets[row] ?? 0;
    }
  }
  return packets;
}

/** The batches that a collector has written down. */
function spooled(folder: string): FlowBatch[] {
  const batches: FlowBatch[] = [];
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".spool"))) {
    const bytes = readFileSync(join(folder, name));
    for (let at = 0; at < bytes.length; ) {
      const scanned = scanRecord(bytes, at);
      if (scanned.kind !== "record") break;
      if (scanned.head.kind === "batch") batches.push(decodeFlowBatch(scanned.body));
      at = scanned.end;
    }
  }
  return batches;
}

function spoolFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-collect-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "spool");
}

function collect(context: TestContext, arrivals: Arrivals, spool: string, ...args: string[]): PortolanProcess {
  const kafka = ["--kafka", broker.bootstrap, "--kafka-prefix", arrivals.prefix];
  const started = new PortolanProcess(["collect", ...kafka, "--spool", spool, "--json", ...args]);
  context.after(() => started.kill());
  return started;
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (const limit = Date.now() + 180_000; !isTrue(); await wait(20))
    assert.ok(Date.now() < limit, `not seen: ${what}`);
}

async function sendDatagrams(port: number, count: number): Promise<void> {
  const socket = createSocket("udp4");
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => socket.send("hello", port, "127.0.0.1", resolve));
    if (i % 20 === 19) await wait(5);
  }
  socket.close();
}

/** A port of ours that nobody else sends to; what comes is answered, so that the flow need not be waited for long. */
async function quietPort(context: TestContext): Promise<number> {
  const socket = createSocket("udp4", (text, { address, port }) => socket.send(text, port, address));
  context.after(() => socket.close());
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket.address().port)));
}

test("a capture that is read arrives once, also when reading is killed and when it is read again", async (context) => {
  const arrivals = new Arrivals();
  await arrivals.listen(context);
  const spool = spoolFor(context);
  const read = ["--read", LAB, "--collector", "host-1"];
  for (let kills = 0; kills < 3; kills++) {
    const killed = collect(context, arrivals, spool, ...read);
    await wait(300 + 250 * kills);
    await killed.kill();
  }
  const whole = collect(context, arrivals, spool, ...read);
  assert.equal(await whole.exit(), 0, whole.errors);
  const generator = readCaptures([LAB]);
  let step = await generator.next();
  while (step.done !== true) step = await generator.next();
  const { flows } = step.value;
  // The broker has them; when they reach this process too is another matter.
  await until(() => arrivals.flows >= flows, `${flows} flows`);
  assert.equal(arrivals.flows, flows);
  const again = collect(context, arrivals, spool, ...read);
  assert.equal(await again.exit(), 0, again.errors);
  assert.deepEqual(JSON.parse(again.output), {
    packets: step.value.packets,
    flows: step.value.flows,
    lostPackets: step.value.lost,
    sentFlows: 0,
    waitingBatches: 0,
    lostBatches: 0,
    lostFlows: 0,
  });
  assert.equal(arrivals.flows, flows);
});

test("a live collector begins while the broker is away, and loses nothing by it", async (context) => {
  const arrivals = new Arrivals();
  const port = await quietPort(context);
  await broker.kill("SIGTERM");
  const collector = collect(context, arrivals, spoolFor(context), "--interface", "lo", "--collector", "host-2");
  await collector.says("capturing on lo");
  await sendDatagrams(port, 100);
  await collector.says("is kept in the spool until it does");
  await broker.restart();
  await collector.says("the broker takes batches again");
  await sendDatagrams(port, 50);
  await arrivals.listen(context);
  await until(() => arrivals.datagramsTo(port) === 150, "150 datagrams");
  await until(() => arrivals.heartbeats.length > 0, "a heartbeat");
  collector.signal("SIGTERM");
  assert.equal(await collector.exit(), 0, collector.errors);
  const totals = JSON.parse(collector.output);
  assert.equal(totals.lostBatches, 0);
  // At its end it waits for the broker some seconds only; a broker that takes longer leaves the rest to the next start.
  assert.ok(totals.sentFlows === totals.flows || totals.waitingBatches > 0);
  await until(() => arrivals.heartbeats.at(-1)?.ended === true, "the last heartbeat");
  const [watched] = arrivals.heartbeats.at(-1)?.interfaces ?? [];
  assert.equal(watched?.name, "lo");
  assert.equal(watched?.program, "tcpdump");
  assert.equal(watched?.packets, totals.packets);
  assert.equal(arrivals.heartbeats[0]?.sensor, "host-2");
  assert.equal(arrivals.batches[0]?.loss.dropped, 0);
});

test("what a killed collector had written down is sent by the next one, and the gap between is told", async (context) => {
  const arrivals = new Arrivals();
  const port = await quietPort(context);
  const spool = spoolFor(context);
  await broker.kill("SIGTERM");
  const killed = collect(context, arrivals, spool, "--interface", "lo");
  await killed.says("capturing on lo");
  await sendDatagrams(port, 100);
  await until(() => datagramsTo(port, spooled(spool)) === 100, "100 datagrams in the spool");
  await killed.kill();
  const before = new Set(spooled(spool).map(({ origin }) => origin.boot));
  assert.equal(before.size, 1);
  await broker.restart();
  const next = collect(context, arrivals, spool, "--interface", "lo");
  await next.says("capturing on lo");
  await arrivals.listen(context);
  await until(() => arrivals.datagramsTo(port) === 100, "100 datagrams");
  const unknown = () => arrivals.batches.filter(({ loss }) => loss.dropped === "unknown");
  await until(() => unknown().length > 0, "a batch that tells the gap");
  next.signal("SIGTERM");
  assert.equal(await next.exit(), 0, next.errors);
  assert.ok(unknown().every(({ origin }) => !before.has(origin.boot)));
});

for (const [name, args, code, line] of [
  ["without a broker", ["collect"], 2, "Cannot collect: no broker is named; wanted --kafka HOST:PORT"],
  [
    "with a TLS file that is not there",
    ["collect", "--kafka", "127.0.0.1:1", "--kafka-tls-ca", "/nonexistent", "--spool", SPOOL],
    2,
    /^Cannot read the certificate authority for Kafka: ENOENT[^\n]+$/,
  ],
  [
    "with too small a spool",
    ["collect", "--kafka", "127.0.0.1:1", "--spool-size", "10K"],
    2,
    /wanted bytes such as 512M or 2G, at least 256K/,
  ],
  [
    "with a spool where none can be",
    ["collect", "--kafka", "127.0.0.1:1", "--spool", "/dev/null/spool"],
    3,
    /^Cannot open spool "\/dev\/null\/spool": ENOTDIR[^\n]+$/,
  ],
] as const) {
  test(`portolan collect ${name} ends with one line and exit code ${code}`, async (context) => {
    const refused = new PortolanProcess([...args]);
    context.after(() => refused.kill());
    assert.equal(await refused.exit(), code, refused.errors);
    const said = refused.errors.split("\n")[0] as string;
    if (typeof line === "string") assert.equal(said, line);
    else assert.match(said, line);
  });
}
