import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { makeNamespacePair } from "../../bench/namespace-pair.js";
import { PortolanProcess } from "../cli/portolan-process.js";
import { startBroker } from "../stream/kafka-broker.js";
import { auditStore } from "./audit-store.js";
import { CaptureSender } from "./capture-sender.js";
import { storesFlows } from "./stored-flows.js";

/** PORTOLAN_OUTAGE_SECONDS=300 node --test dist/test/failures/outages.e2e.test.js */
const OUTAGE_MS = 1000 * Number(process.env.PORTOLAN_OUTAGE_SECONDS ?? 12);
const LOAD = { packets: 100_000, flowsPerSecond: 1000, speed: 2 };
const CATCH_UP_MS = 180_000;

/** Collectors in the right namespace, broker and analyzer in the left one. */
const pair = makeNamespacePair();
after(() => pair.remove());
const inLeft = ["ip", "netns", "exec", pair.left];
const inRight = ["ip", "netns", "exec", pair.right];
const broker = await startBroker({ host: "10.77.0.1", within: inLeft });
after(() => broker.stop());
const folder = mkdtempSync(join(tmpdir(), "portolan-outages-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function must(...command: readonly string[]): void {
  const { status, stderr } = spawnSync(command[0] as string, command.slice(1), { encoding: "utf8" });
  assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
}

let scenes = 0;

/** A collector under load and an analyzer, with topics and files of their own; what happens to them is `outage`. */
async function scene(spool: string, outage: (sender: CaptureSender) => Promise<void>) {
  const name = `host-${scenes}`;
  const kafka = ["--kafka", broker.bootstrap, "--kafka-prefix", `o${scenes++}.`];
  const sender = new CaptureSender({ name, folder, seed: scenes, ...LOAD, spool, args: kafka, within: inRight });
  const store = join(folder, `${name}.duckdb`);
  const analyzer = new PortolanProcess(["analyzer", ...kafka, "--store", store, "--listen", "127.0.0.1:0"], inLeft);
  try {
    const sending = sender.run();
    await Promise.race([storesFlows(analyzer, inLeft, () => 1, CATCH_UP_MS), sending]);
    await Promise.race([outage(sender), sending]);
    sender.end();
    await sending;
    // The last batches are with the broker; the analyzer needs a moment, and more where the machine is busy.
    await storesFlows(analyzer, inLeft, () => sender.madeFlows, CATCH_UP_MS);
    analyzer.signal("SIGTERM");
    assert.equal(await analyzer.exit(), 0, analyzer.errors);
    const audit = await auditStore(store, new Map([[name, sender.made]]));
    assert.deepEqual(audit.faults.slice(0, 10), []);
    return audit;
  } finally {
    await analyzer.kill();
    sender.end();
    await sender.kill(Promise.resolve());
  }
}

const seconds = OUTAGE_MS / 1000;

test(`the broker is stopped for ${seconds} s under load: nothing is lost`, async (context) => {
  const { madeFlows, storedFlows } = await scene(join(folder, "spool-0"), async (sender) => {
    await broker.kill("SIGTERM");
    await Promise.all([wait(OUTAGE_MS), sender.says(/is kept in the spool until it does/)]);
    await broker.restart();
  });
  context.diagnostic(`${madeFlows} flows made, ${storedFlows} stored`);
  assert.equal(storedFlows, madeFlows);
});

test(`the network between them is cut for ${seconds} s under load: nothing is lost`, async (context) => {
  const { madeFlows, storedFlows } = await scene(join(folder, "spool-1"), async () => {
    const nft = (...words: string[]) => must(...inRight, "nft", ...words);
    nft("add table inet cut");
    nft("add chain inet cut out { type filter hook output priority 0; policy accept; }");
    nft("add rule inet cut out ip daddr 10.77.0.1 drop");
    await wait(OUTAGE_MS);
    nft("delete table inet cut");
  });
  context.diagnostic(`${madeFlows} flows made, ${storedFlows} stored`);
  assert.equal(storedFlows, madeFlows);
});

test("the disk of the spool is full under load, while the broker is there: nothing is lost", async (context) => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  must("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk);
  context.after(() => must("umount", "--lazy", disk));
  const { madeFlows, storedFlows } = await scene(join(disk, "spool"), async () => {
    try {
      writeFileSync(join(disk, "other"), Buffer.alloc(4 << 20));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
    assert.equal(statfsSync(disk).bavail, 0);
    await wait(OUTAGE_MS);
    rmSync(join(disk, "other"));
  });
  context.diagnostic(`${madeFlows} flows made, ${storedFlows} stored`);
  assert.equal(storedFlows, madeFlows);
});
