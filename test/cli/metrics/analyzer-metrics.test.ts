import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { BatchBuffer } from "../../../analyzer/ingest/batch-buffer.js";
import { IntakeTotals } from "../../../analyzer/ingest/intake-totals.js";
import { analyzerMetrics, caughtUpCondition, storeCondition } from "../../../cli/metrics/analyzer-metrics.js";
import { metricsRegistry } from "../../../cli/metrics/registry.js";

test("a store that takes nothing makes the process unready, until it takes what waited", async () => {
  let isFull = true;
  const buffer = new BatchBuffer(
    async () => {
      if (isFull) throw new Error("Cannot write to the store: the disk is full");
      return { batches: 0, duplicates: 0, flows: 0, malformed: 0 } as never;
    },
    () => {},
  );
  assert.equal(storeCondition(buffer.fault()).isMet, true);
  await buffer.add({});
  await assert.rejects(buffer.flush());
  assert.deepEqual(storeCondition(buffer.fault()), {
    ...{ name: "store", isMet: false, isNeeded: true },
    text: "Cannot write to the store: the disk is full",
  });
  isFull = false;
  await buffer.close();
  assert.equal(storeCondition(buffer.fault()).isMet, true);
});

test("an analyzer that has read nothing cannot say that it caught up, and is ready all the same", () => {
  const figures = new IntakeTotals().figures();
  const states = (["unknown", 9_999, 10_001] as const).map((lagMs) => caughtUpCondition({ ...figures, lagMs }));
  assert.deepEqual(
    states.map(({ isMet, isNeeded }) => [isMet, isNeeded]),
    [
      ["unknown", false],
      [true, false],
      [false, false],
    ],
  );
});

test("the analyzer's figures are those of its parts, and unknown ones are left out", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-figures-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const storePath = join(folder, "x.duckdb");
  const view = {
    revision: () => 7,
    intake: () => ({ ...new IntakeTotals().figures(), flows: 12 }),
    deadLetters: () => ({ byCode: { "not-arrow": 2 }, total: 2, unkept: 0 }),
    storeFault: () => undefined,
    storePath,
  };
  const text = async () => metricsRegistry("analyzer", "1", analyzerMetrics(view)).metrics();
  const before = await text();
  assert.match(before, /^portolan_analyzer_flows_total 12$/m);
  assert.match(before, /^portolan_analyzer_dead_letters_total\{reason="not-arrow"\} 2$/m);
  assert.match(before, /^portolan_analyzer_store_writable 1$/m);
  assert.doesNotMatch(before, /^portolan_analyzer_(lag_seconds|store_bytes) /m);
  writeFileSync(storePath, "12345");
  writeFileSync(`${storePath}.wal`, "678");
  assert.match(await text(), /^portolan_analyzer_store_bytes 8$/m);
});
