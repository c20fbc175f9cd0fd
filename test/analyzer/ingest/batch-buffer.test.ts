import assert from "node:assert/strict";
import test from "node:test";
import { BatchBuffer, type Delivery, FLUSH_ROWS, MAX_WAITING_ROWS } from "../../../analyzer/ingest/batch-buffer.js";
import type { Intake } from "../../../analyzer/store/intake.js";
import { batchOf, originOf } from "../batches.js";

const batch = (sequence: number, rows = 1): Delivery => ({
  batch: { ...batchOf(originOf("a", sequence), [{}]), length: rows },
});
const report = ({ batches }: Intake) => ({ batches: batches.length, duplicates: 0, flows: 0, malformed: 0 });
const sequences = ({ batches }: Intake) => batches.map(({ origin }) => origin.sequence);

/** Closes the buffer, and lets every write through that waits at its gate meanwhile. */
async function closing(buffer: BatchBuffer, gates: (() => void)[]): Promise<void> {
  let isClosed = false;
  const closed = buffer.close().then(() => {
    isClosed = true;
  });
  while (!isClosed) {
    gates.shift()?.();
    await new Promise(setImmediate);
  }
  await closed;
}

test("batches are gathered into one write, in their order", async () => {
  const writes: number[][] = [];
  const buffer = new BatchBuffer(
    async (intake) => {
      writes.push(sequences(intake));
      return report(intake);
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
    (intake) => new Promise((resolve) => gates.push(() => resolve(report(intake)))),
    () => {},
  );
  await buffer.add(batch(0, FLUSH_ROWS + 1));
  await buffer.add(batch(1, MAX_WAITING_ROWS - 1));
  let isTaken = false;
  const third = buffer.add(batch(2, 1)).then(() => {
    isTaken = true;
  });
  await new Promise(setImmediate);
  assert.equal(isTaken, false);
  gates.shift()?.();
  await new Promise(setImmediate);
  gates.shift()?.();
  await third;
  await closing(buffer, gates);
});

test("a write takes no more than fills a row group, and what is over is written after it", async () => {
  const eighth = FLUSH_ROWS / 8;
  const gates: (() => void)[] = [];
  const writes: number[] = [];
  const buffer = new BatchBuffer(
    (intake) => {
      writes.push(intake.batches.reduce((sum, { length }) => sum + length, 0));
      return new Promise((resolve) => gates.push(() => resolve(report(intake))));
    },
    () => {},
  );
  for (let sequence = 0; sequence < 8 + 19; sequence++) await buffer.add(batch(sequence, eighth));
  assert.deepEqual(writes, [FLUSH_ROWS]);
  gates.shift()?.();
  await new Promise(setImmediate);
  assert.deepEqual(writes, [FLUSH_ROWS, FLUSH_ROWS]);
  await closing(buffer, gates);
  assert.deepEqual(writes, [FLUSH_ROWS, FLUSH_ROWS, FLUSH_ROWS, 3 * eighth]);
});

test("a write that failed is tried again before anything new is taken, and nothing is lost or doubled", async () => {
  let isFull = true;
  const written: number[] = [];
  const buffer = new BatchBuffer(
    async (intake) => {
      if (isFull) throw new Error("no space");
      written.push(...sequences(intake));
      return report(intake);
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

const at = (partition: number, next: bigint) => ({
  position: { source: "kafka/c/t", topic: "portolan.flows", partition, next, reachedUs: Number(next) },
});

test("a write carries the last position of each partition and the age of its oldest message", async () => {
  const writes: Intake[] = [];
  const buffer = new BatchBuffer(
    async (intake) => {
      writes.push(intake);
      return report(intake);
    },
    () => {},
  );
  await buffer.add({ ...batch(0), ...at(0, 5n) });
  await buffer.add({ ...batch(1), ...at(1, 9n) });
  await buffer.add(at(0, 6n)); // a message that brought nothing
  await buffer.flush();
  assert.deepEqual(
    writes.map(({ positions, oldestUs }) => [positions?.map(({ partition, next }) => [partition, next]), oldestUs]),
    [
      [
        [
          [0, 6n],
          [1, 9n],
        ],
        5,
      ],
    ],
  );
  await buffer.close();
});

test("what came from a forgotten partition is not written; the rest is", async () => {
  let isFull = true;
  const written: number[] = [];
  const buffer = new BatchBuffer(
    async (intake) => {
      if (isFull) throw new Error("no space");
      written.push(...sequences(intake));
      return report(intake);
    },
    () => {},
  );
  await buffer.add({ ...batch(0), ...at(0, 1n) });
  await buffer.add({ ...batch(1), ...at(1, 1n) });
  await assert.rejects(buffer.flush(), /no space/);
  await buffer.forget([at(0, 0n).position]);
  isFull = false;
  await buffer.flush();
  assert.deepEqual(written, [1]);
  await buffer.close();
});

test("what fills up while a write is under way is written behind it, though nothing more is added", async () => {
  const gates: (() => void)[] = [];
  const written: number[] = [];
  const buffer = new BatchBuffer(
    (intake) =>
      new Promise((resolve) =>
        gates.push(() => {
          written.push(...sequences(intake));
          resolve(report(intake));
        }),
      ),
    () => {},
  );
  await buffer.add(batch(0, FLUSH_ROWS + 1));
  await buffer.add(batch(1, FLUSH_ROWS + 1));
  gates.shift()?.();
  await new Promise(setImmediate);
  gates.shift()?.();
  await new Promise(setImmediate);
  assert.deepEqual(written, [0, 1]);
  await buffer.close();
});
