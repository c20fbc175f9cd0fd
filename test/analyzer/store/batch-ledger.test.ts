import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { BatchLedger } from "../../../analyzer/store/batch-ledger.js";
import { originOf } from "../batches.js";

test("a hole lies between the batches on both sides, and closes when they come", () => {
  const ledger = new BatchLedger();
  ledger.take(originOf("a", 0), 100);
  ledger.take(originOf("a", 3), 400);
  assert.deepEqual(ledger.holes(), [
    { collector: "a", boot: "boot-1", bucket: 0, first: 1, last: 2, fromUs: 100, untilUs: 400 },
  ]);
  ledger.take(originOf("a", 2), 300);
  ledger.take(originOf("a", 1), 200);
  assert.deepEqual(ledger.holes(), []);
});

test("batches before the first one taken are missing, since sequences begin at 0", () => {
  const ledger = new BatchLedger();
  ledger.take(originOf("a", 2), 300);
  assert.deepEqual(ledger.holes(), [
    { collector: "a", boot: "boot-1", bucket: 0, first: 0, last: 1, fromUs: 300, untilUs: 300 },
  ]);
});

test("starts and buckets of one collector have sequences of their own", () => {
  const ledger = new BatchLedger();
  ledger.take(originOf("a", 0, "boot-1", 0), 1);
  assert.equal(ledger.has(originOf("a", 0, "boot-1", 0)), true);
  assert.equal(ledger.has(originOf("a", 0, "boot-2", 0)), false);
  assert.equal(ledger.has(originOf("a", 0, "boot-1", 1)), false);
});

test("whatever the order of arrival, the ledger knows what came and has a range for each run", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(30)), (sequences) => {
      const ledger = new BatchLedger();
      for (const sequence of sequences) ledger.take(originOf("a", sequence), sequence);
      for (let sequence = 0; sequence < 31; sequence++) {
        assert.equal(ledger.has(originOf("a", sequence)), sequences.includes(sequence));
      }
      const missing = Array.from({ length: Math.max(-1, ...sequences) + 1 }, (_, i) => i).filter(
        (i) => !sequences.includes(i),
      );
      const holes = ledger
        .holes()
        .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      assert.deepEqual(holes, missing);
      for (const { ranges } of ledger.drainChanged()) {
        for (const [i, range] of ranges.entries()) {
          const next = ranges[i + 1];
          assert.ok(next === undefined || range.last + 1 < next.first);
        }
      }
    }),
  );
});
