import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import fc from "fast-check";
import { type Flight, Spool } from "../../../collector/spool/spool.js";
import { scanRecord } from "../../../collector/spool/spool-record.js";
import type { Message } from "../../../stream/carrier.js";
import { Accounts, testBatch, told } from "./batches.js";

const MIB = 1 << 20;

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-spool-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As a process that is killed leaves it: nothing more is written, and the owner is dead. */
function abandon(folder: string): void {
  writeFileSync(join(folder, "owner"), "1 0");
}

function sendAll(spool: Spool): Message[] {
  const messages: Message[] = [];
  for (let flight = spool.next(); flight !== undefined; flight = spool.next()) {
    messages.push(...flight.messages);
    spool.acknowledge(flight);
  }
  return messages;
}

const filesIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".spool"));

test("what is taken is given in order, the same again until it is acknowledged", async (context) => {
  const spool = Spool.open({ folder: folderFor(context), limitBytes: MIB });
  for (const sequence of [0, 1, 2]) spool.take(testBatch(sequence));
  const first = spool.next() as Flight;
  assert.deepEqual(told(first.messages), ["boot-1/0 #0 (3 flows)", "boot-1/0 #1 (3 flows)", "boot-1/0 #2 (3 flows)"]);
  spool.take(testBatch(3));
  assert.deepEqual(told((spool.next() as Flight).messages).slice(0, 3), told(first.messages));
  assert.equal(spool.status().batches, 4);
  spool.acknowledge(first);
  assert.deepEqual(told(sendAll(spool)), ["boot-1/0 #3 (3 flows)"]);
  assert.equal(spool.status().batches, 0);
  assert.equal(spool.status().oldestUs, undefined);
  await spool.close();
});

test("files go once they are sent", async (context) => {
  const folder = folderFor(context);
  const spool = Spool.open({ folder, limitBytes: 64 * MIB });
  for (let sequence = 0; sequence < 400; sequence++) spool.take(testBatch(sequence, 1000));
  assert.ok(filesIn(folder).length >= 3);
  assert.equal(sendAll(spool).length, 400);
  assert.equal(filesIn(folder).length, 1);
  assert.ok(spool.status().bytes < 1000, `${spool.status().bytes} bytes`);
  await spool.close();
});

test("a process that dies leaves everything it took to the next one, in order", async (context) => {
  const folder = folderFor(context);
  const dying = Spool.open({ folder, limitBytes: MIB });
  assert.equal(dying.wasClean, true);
  for (const sequence of [0, 1]) dying.take(testBatch(sequence));
  abandon(folder);
  const spool = Spool.open({ folder, limitBytes: MIB });
  assert.equal(spool.wasClean, false);
  spool.take(testBatch(0, 5, 0, "boot-2"));
  assert.deepEqual(told(sendAll(spool)), ["boot-1/0 #0 (3 flows)", "boot-1/0 #1 (3 flows)", "boot-2/0 #0 (5 flows)"]);
  await spool.close();
  const after = Spool.open({ folder, limitBytes: MIB });
  assert.equal(after.wasClean, true);
  assert.equal(after.next(), undefined);
  await after.close();
});

test("half a record at the end is passed over and counted", async (context) => {
  const folder = folderFor(context);
  const dying = Spool.open({ folder, limitBytes: MIB });
  for (const sequence of [0, 1]) dying.take(testBatch(sequence));
  const path = join(folder, filesIn(folder)[0] as string);
  truncateSync(path, readFileSync(path).length - 7);
  abandon(folder);
  const spool = Spool.open({ folder, limitBytes: MIB });
  assert.equal(spool.status().tornRecords, 1);
  assert.deepEqual(told(sendAll(spool)), ["boot-1/0 #0 (3 flows)"]);
  await spool.close();
});

test("a damaged batch is told as a loss, and what follows it arrives", async (context) => {
  const folder = folderFor(context);
  const dying = Spool.open({ folder, limitBytes: MIB });
  for (const sequence of [0, 1, 2]) dying.take(testBatch(sequence, 3 + sequence));
  const path = join(folder, filesIn(folder)[0] as string);
  const bytes = readFileSync(path);
  const body = bytes.indexOf('"sequence":1') + 600;
  bytes[body] = (bytes[body] as number) ^ 1;
  writeFileSync(path, bytes);
  abandon(folder);
  const spool = Spool.open({ folder, limitBytes: MIB });
  assert.deepEqual(told(sendAll(spool)), [
    "boot-1/0 #0 (3 flows)",
    "boot-1/0 #2 (5 flows)",
    "boot-1/0 #1-#1 lost (4 flows, damaged)",
  ]);
  assert.equal(spool.status().damagedRecords, 1);
  assert.equal(spool.status().lostFlows, 4);
  await spool.close();
});

test("when it is full the oldest goes, except what is being sent, and the gap has the right count", async (context) => {
  const folder = folderFor(context);
  const spool = Spool.open({ folder, limitBytes: MIB });
  const made = new Map<string, number>();
  const take = (sequence: number, bucket: number) => {
    spool.take(testBatch(sequence, 100 + (sequence % 7), bucket));
    made.set(`boot-1/${bucket}#${sequence}`, 100 + (sequence % 7));
  };
  for (const bucket of [0, 1]) take(0, bucket);
  assert.notEqual(spool.next(), undefined); // under way, and the broker does not answer
  for (let sequence = 1; sequence < 200; sequence++) for (const bucket of [0, 1]) take(sequence, bucket);
  const { bytes, lostBatches, lostFlows } = spool.status();
  assert.ok(bytes <= MIB + 8192, `${bytes} bytes on disk`);
  assert.ok(lostBatches > 100, `${lostBatches} lost`);
  const accounts = new Accounts();
  const messages = sendAll(spool);
  accounts.take(messages);
  assert.deepEqual(accounts.faults(made), []);
  assert.equal(accounts.lost.size, 2); // one gap a bucket, however many segments went
  assert.equal(
    [...accounts.lost.values()].reduce((sum, { flows }) => sum + flows, 0),
    lostFlows,
  );
  assert.ok(accounts.arrived.has("boot-1/0#0") && accounts.arrived.has("boot-1/1#199"));
  const sequences = told(messages).flatMap((line) => /^boot-1\/0 #(\d+) \(/.exec(line)?.[1] ?? []);
  assert.deepEqual(
    sequences.map(Number),
    sequences.map(Number).sort((a, b) => a - b),
  );
  await spool.close();
});

test("a crash between telling of a dropped segment and removing it does not bring the segment back", async (context) => {
  const folder = folderFor(context);
  const spool = Spool.open({ folder, limitBytes: 256 << 10 });
  const made = new Map<string, number>();
  const kept = new Map<string, Buffer>();
  for (let sequence = 0; sequence < 100; sequence++) {
    spool.take(testBatch(sequence, 100));
    made.set(`boot-1/0#${sequence}`, 100);
    for (const name of filesIn(folder)) kept.set(name, readFileSync(join(folder, name)));
  }
  const present = new Set(filesIn(folder));
  const gone = [...kept.keys()].filter((name) => !present.has(name));
  assert.ok(gone.length > 1);
  for (const name of gone) writeFileSync(join(folder, name), kept.get(name) as Buffer);
  abandon(folder);
  const next = Spool.open({ folder, limitBytes: 256 << 10 });
  const accounts = new Accounts();
  accounts.take(sendAll(next));
  assert.deepEqual(accounts.faults(made), []);
  await next.close();
});

test("a stream that is made again after a crash goes on where it was taken, lost batches included", async (context) => {
  const folder = folderFor(context);
  let spool = Spool.open({ folder, limitBytes: 256 << 10 });
  for (let sequence = 0; sequence < 100; sequence++) spool.take(testBatch(sequence, 100), true);
  spool.take(testBatch(0, 100, 0, "live"));
  assert.ok(spool.status().lostBatches > 0);
  for (const isSent of [false, true, false]) {
    abandon(folder);
    spool = Spool.open({ folder, limitBytes: 256 << 10 });
    if (isSent) sendAll(spool);
    assert.equal(spool.nextOf("host-1", "boot-1", 0), 100);
    assert.equal(spool.nextOf("host-1", "live", 0), 0);
  }
  await spool.close();
});

test("one process owns the folder", async (context) => {
  const folder = folderFor(context);
  const spool = Spool.open({ folder, limitBytes: MIB });
  assert.throws(() => Spool.open({ folder, limitBytes: MIB }), {
    code: "in-use",
    message: `Cannot open spool "${folder}": wanted a folder that no other process uses, process ${process.pid} does`,
  });
  await spool.close();
  await Spool.open({ folder, limitBytes: MIB }).close();
});

test("a folder that cannot be used is refused in one line", () => {
  assert.throws(() => Spool.open({ folder: "/dev/null/spool", limitBytes: MIB }), {
    code: "failed",
    message: /^Cannot open spool "\/dev\/null\/spool": [^\n]+$/,
  });
});

test("scanRecord() never throws and always ends, whatever the bytes are", () => {
  const magic = fc.constant(Uint8Array.from(Buffer.from("PSP1")));
  const part = fc.oneof(fc.uint8Array({ maxLength: 64 }), magic);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const bytes = Buffer.concat(parts);
      for (let at = 0; at < bytes.length; ) {
        const scanned = scanRecord(bytes, at);
        if (scanned.kind === "torn") return;
        assert.ok(scanned.end > at && scanned.end <= bytes.length);
        at = scanned.end;
      }
    }),
  );
});

test("noise between records costs nothing but itself", async (context) => {
  const folder = folderFor(context);
  const dying = Spool.open({ folder, limitBytes: MIB });
  dying.take(testBatch(0));
  const path = join(folder, filesIn(folder)[0] as string);
  const whole = readFileSync(path);
  appendFileSync(path, "PSP1 is not enough");
  appendFileSync(path, whole);
  abandon(folder);
  const spool = Spool.open({ folder, limitBytes: MIB });
  assert.deepEqual(told(sendAll(spool)), ["boot-1/0 #0 (3 flows)", "boot-1/0 #0 (3 flows)"]);
  assert.equal(spool.status().damagedRecords, 1);
  await spool.close();
});
