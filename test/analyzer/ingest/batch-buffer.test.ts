import assert from "node:assert/strict";
import test from "node:test";
import { BatchBuffer } from "../../../analyzer/ingest/batch-buffer.js";
import type { FlowBatch } from "../../../model/flow-batch.js";
import { batchOf, originOf } from "../batches.js";

const batch = (sequence: number, rows = 1): FlowBatch => ({ ...batchOf(originOf("a", sequence), [{}]), length: rows });
const report = (batches: readonly FlowBatch[]) => ({ batches: batches.length, duplicates: 0, flows: 0, malformed: 0 });
const sequences = (batches: readonly FlowBatch[]) => batches.map(({ origin }) => origin.sequence);

test("batches are gathered into one write, in their order", async () => {
  const writes: number[][] = [];
  const buffer = new BatchBuffer(
    async (batches) => {
      writes.push(sequences(batches));
      return report(batches);
    },
    () => {},
  );
  for (const sequence of [0, 1, 2]) await buffer.add(batch(sequence));
  assert.deepEqual(writes, []);
  await buffer.flush();
  assert.deepEqual(writes, [[0, 1, 2]]);
  await buffer.close();
});

test("add() waits while a write is under way and the next one is full", async () => {
  const gates: (() => void)[] = [];
  const buffer = new BatchBuffer(
    (batches) => new Promise((resolve) => gates.push(() => resolve(report(batches)))),
    () => {},
  );
  await buffer.add(batch(0, 60_000));
  await buffer.add(batch(1, 60_000));
  let isTaken = false;
  const third = buffer.add(batch(2, 60_000)).then(() => {
    isTaken = true;
  });
  await new Promise(setImmediate);
  assert.equal(isTaken, false);
  gates.shift()?.();
  await new Promise(setImmediate);
  gates.shift()?.();
  await third;
  const closed = buffer.close();
  while (gates.length > 0) {
    gates.shift()?.();
    await new Promise(setImmediate);
  }
  await closed;
});

test("a write that failed is tried again before anything new is taken, and nothing is lost or doubled", async () => {
  let isFull = true;
  const written: number[] = [];
  const buffer = new BatchBuffer(
    async (batches) => {
      if (isFull) throw new Error("no space");
      written.push(...sequences(batches));
      return report(batches);
    },
    () => {},
  );
  await buffer.add(batch(0));
  await assert.rejects(buffer.flush(), /no space/);
  await assert.rejects(buffer.add(batch(1)), /no space/);
  isFull = false;
  await buffer.add(batch(1));
  await buffer.flush();
  assert.deepEqual(written, [0, 1]);
  await buffer.close();
});
