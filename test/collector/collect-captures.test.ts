import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { collectCaptures } from "../../collector/collect-captures.js";
import { readCaptures } from "../../collector/read-captures.js";
import { Spool } from "../../collector/spool/spool.js";
import { decodeFlowBatch } from "../../model/flow-batch-codec.js";

const LAB = fileURLToPath(new URL("../../../test/fixtures/lab/lab.pcap", import.meta.url));
const LIMIT = 64 << 20;

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-read-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Collects the lab's capture until `isEnough`, and gives back what is then in the spool. */
async function collect(spool: Spool, isEnough = () => false): Promise<void> {
  const abort = new AbortController();
  const onPackets = () => {
    if (isEnough()) abort.abort();
  };
  await collectCaptures([LAB], { collector: "host-1", spool, speed: 1000, signal: abort.signal, onPackets });
}

/** Sends what is in the spool. Right after a kill some may come again; what names a batch tells. */
function drain(spool: Spool, into: Map<string, number>): void {
  for (let flight = spool.next(); flight !== undefined; flight = spool.next()) {
    for (const { value } of flight.messages) {
      const { origin, length } = decodeFlowBatch(value);
      into.set(`${origin.boot} ${origin.bucket} ${origin.sequence}`, length);
    }
    spool.acknowledge(flight);
  }
}

const sum = (flows: Iterable<number>) => [...flows].reduce((total, count) => total + count, 0);

async function flowsOf(path: string): Promise<number> {
  const batches = readCaptures([path]);
  let step = await batches.next();
  while (step.done !== true) step = await batches.next();
  return step.value.flows;
}

test("a capture whose reading is killed again and again is collected once", async (context) => {
  const folder = folderFor(context);
  const batches = new Map<string, number>();
  let kills = 0;
  for (let isDone = false; !isDone; ) {
    const spool = Spool.open({ folder, limitBytes: LIMIT });
    let taken = 0;
    const before = spool.status().batches;
    await collect(spool, () => {
      taken = spool.status().batches - before;
      return taken > 5;
    });
    isDone = taken <= 5;
    if (kills % 2 === 0) drain(spool, batches);
    kills++;
    writeFileSync(join(folder, "owner"), "1 0"); // nothing more is written, and the owner is dead
  }
  const spool = Spool.open({ folder, limitBytes: LIMIT });
  drain(spool, batches);
  assert.ok(kills >= 3, `${kills} kills`);
  assert.equal(sum(batches.values()), await flowsOf(LAB));
  await spool.close();
});

test("a capture that is collected twice gives nothing new the second time", async (context) => {
  const spool = Spool.open({ folder: folderFor(context), limitBytes: LIMIT });
  const batches = new Map<string, number>();
  await collect(spool);
  drain(spool, batches);
  assert.equal(sum(batches.values()), await flowsOf(LAB));
  await collect(spool);
  assert.equal(spool.status().batches, 0);
  await spool.close();
});
