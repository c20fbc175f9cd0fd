import assert from "node:assert/strict";
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { Spool } from "../../../collector/spool/spool.js";
import { SpoolSender } from "../../../collector/spool/spool-sender.js";
import type { Carrier, Message } from "../../../stream/carrier.js";
import { Accounts, testBatch, told } from "./batches.js";

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-spool-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the kernel and the next process see of one that is dead: its files are closed, and the folder's owner is nobody. */
function crash(folder: string): void {
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${folder}/`)) closeSync(Number(fd));
    } catch {
      // the one that lists them
    }
  }
  writeFileSync(join(folder, "owner"), "1 0");
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes in use once everything that nobody holds has gone. */
async function heldBytes(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await wait(10); // buffers are freed by another thread
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Also after a failure: a sender that goes on trying would keep the process from ending. */
function senderFor(
  context: TestContext,
  spool: Spool,
  carrier: Carrier,
  onTrouble: (error: unknown) => void = () => {},
) {
  const sender = new SpoolSender(spool, carrier, { onTrouble });
  context.after(async () => {
    sender.stop();
    await spool.close();
  });
  return sender;
}

/** A carrier whose broker can be away. */
class TestCarrier implements Carrier {
  readonly messages: Message[] = [];
  refusals = 0;
  isAway = false;

  async sendAll(_topic: string, messages: readonly Message[]): Promise<void> {
    if (this.isAway) {
      this.refusals++;
      throw new Error("Cannot send: the broker is away");
    }
    this.messages.push(...messages);
  }

  async send(): Promise<void> {}

  async subscribe(): Promise<never> {
    throw new Error("nobody reads here");
  }

  async close(): Promise<void> {}
}

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("take" as const), bucket: fc.nat(1), flows: fc.nat(60) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const) }) },
  // The broker took some of it, or all, and the answer got lost.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("fail" as const), share: fc.double({ min: 0, max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);

test("whatever fails in whatever order, each batch arrives or is in a gap with the right count, in order", async (context) => {
  const runs = fc.array(step, { minLength: 50, maxLength: 300, size: "max" });
  await fc.assert(
    fc.asyncProperty(runs, async (steps) => {
      const options = { folder: folderFor(context), limitBytes: 64 << 10 };
      let spool = Spool.open(options);
      let boot = 0;
      let sequences = [0, 0];
      const made = new Map<string, number>();
      const arrived: Message[] = [];
      for (const step of steps) {
        const flight = step.kind === "send" || step.kind === "fail" ? spool.next() : undefined;
        if (step.kind === "take") {
          const sequence = sequences[step.bucket] as number;
          sequences[step.bucket] = sequence + 1;
          const batch = testBatch(sequence, step.flows, step.bucket, `boot-${boot}`);
          spool.take(batch);
          made.set(`boot-${boot}/${step.bucket}#${sequence}`, step.flows);
        } else if (step.kind === "send" && flight !== undefined) {
          arrived.push(...flight.messages);
          spool.acknowledge(flight);
        } else if (step.kind === "fail" && flight !== undefined) {
          arrived.push(...flight.messages.slice(0, Math.round(step.share * flight.messages.length)));
        } else if (step.kind === "crash" || step.kind === "restart") {
          if (step.kind === "restart") await spool.close();
          else crash(options.folder);
          spool = Spool.open(options);
          assert.equal(spool.wasClean, step.kind === "restart");
          boot++;
          sequences = [0, 0];
        }
        assert.ok(spool.status().bytes <= options.limitBytes + (16 << 10));
      }
      for (let flight = spool.next(); flight !== undefined; flight = spool.next()) {
        arrived.push(...flight.messages);
        spool.acknowledge(flight);
      }
      const accounts = new Accounts();
      accounts.take(arrived);
      const inOrder = [...accounts.arrived.keys()].map((key) => key.split("#") as [string, string]);
      for (const [i, [stream, sequence]] of inOrder.entries()) {
        const before = inOrder.slice(0, i).findLast(([other]) => other === stream);
        assert.ok(before === undefined || Number(before[1]) < Number(sequence), `${stream}: ${sequence} came late`);
      }
      assert.deepEqual(accounts.faults(made), []);
      await spool.close();
      rmSync(options.folder, { recursive: true });
    }),
    { numRuns: 8 },
  );
});

test("a broker that is away for an hour costs disk up to the limit and no memory", async (context) => {
  const carrier = new TestCarrier();
  const limitBytes = 2 << 20;
  const spool = Spool.open({ folder: folderFor(context), limitBytes });
  const sender = senderFor(context, spool, carrier);
  carrier.isAway = true;
  const { origin, ...batch } = testBatch(0, 100);
  const batches = 3600; // one a second
  const take = async (from: number, until: number) => {
    for (let sequence = from; sequence < until; sequence++) {
      spool.take({ ...batch, origin: { ...origin, sequence } });
      if (sequence % 100 === 0) await wait(0); // the sender tries meanwhile
    }
  };
  await take(0, batches / 4);
  assert.ok(spool.status().lostBatches > 0); // it is full by now
  const beforeBytes = await heldBytes();
  await take(batches / 4, batches);
  // What was taken since is 13 MiB; a tenth of it in memory would be a leak. What is only late to be freed goes.
  const leakBytes = (batch.bytes.length * batches * 3) / 40;
  let moreBytes = (await heldBytes()) - beforeBytes;
  for (const end = Date.now() + 60_000; moreBytes >= leakBytes && Date.now() < end; ) {
    moreBytes = (await heldBytes()) - beforeBytes;
  }
  while (carrier.refusals < 2) await wait(10);
  const { bytes, lostBatches, lostFlows } = spool.status();
  context.diagnostic(`${bytes} bytes on disk, ${moreBytes >> 10} KiB more in memory than when it was full`);
  assert.ok(bytes <= limitBytes + 8192, `${bytes} bytes on disk`);
  assert.ok(moreBytes < leakBytes, `${moreBytes >> 10} KiB more than when it was full`);
  carrier.isAway = false;
  while (!(await sender.drain(1_000)));
  const lines = told(carrier.messages.filter(({ headers }) => headers.schema?.startsWith("portolan.flow-loss/")));
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(lines[0] as string, new RegExp(`lost \\(${lostFlows} flows, spool-full\\)$`));
  assert.equal(carrier.messages.length - 1 + lostBatches, batches);
});

test("trouble is told once, and its end", async (context) => {
  const carrier = new TestCarrier();
  const told: unknown[] = [];
  const spool = Spool.open({ folder: folderFor(context), limitBytes: 1 << 20 });
  carrier.isAway = true;
  const sender = senderFor(context, spool, carrier, (error) => told.push(error));
  for (let sequence = 0; sequence < 3; sequence++) spool.take(testBatch(sequence));
  while (carrier.refusals < 2) await wait(10);
  assert.equal(told.length, 1);
  carrier.isAway = false;
  while (!(await sender.drain(1_000)));
  assert.deepEqual(told.slice(1), [undefined]);
  assert.deepEqual(sender.totals(), { batches: 3, flows: 9 });
});
