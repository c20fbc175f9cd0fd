import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { generateCapture, USUAL_TRAFFIC } from "../../bench/generate-capture.js";
import { type ReadTotals, readCaptures } from "../../collector/read-captures.js";
import { readObservers } from "../../collector/read-observers.js";
import type { FlowBatch } from "../../model/flow-batch.js";

async function all(batches: AsyncGenerator<FlowBatch, ReadTotals, void>) {
  const told: FlowBatch[] = [];
  for (;;) {
    const step = await batches.next();
    if (step.done === true) return { told, totals: step.value };
    told.push(step.value);
  }
}

test("captures of several observers come apart, in the order of their flows, and are counted together", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-observers-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const paths = ["a", "b"].map((name, i) => {
    const path = join(folder, `${name}.pcap`);
    generateCapture(path, { ...USUAL_TRAFFIC, packets: 20_000 * (i + 1), flowsPerSecond: 1000, seed: i + 1 });
    return path;
  });
  const progress: number[] = [];
  const { told, totals } = await all(
    readObservers(paths, ["a", "b"], { onProgress: ({ packets }) => progress.push(packets) }),
  );
  const alone = await Promise.all(
    ["a", "b"].map((collector, i) => all(readCaptures([paths[i] as string], { collector }))),
  );
  for (const [i, name] of ["a", "b"].entries()) {
    assert.deepEqual(
      told.filter(({ origin }) => origin.collector === name),
      alone[i]?.told,
    );
  }
  const begins = told.filter(({ length }) => length > 0).map(({ startUs }) => startUs[0] as number);
  assert.deepEqual(
    begins,
    [...begins].sort((a, b) => a - b),
  ); // not first all of one and then the other
  assert.ok(new Set(told.slice(0, 4).map(({ origin }) => origin.collector)).size === 2);
  const [a, b] = alone.map(({ totals }) => totals) as [ReadTotals, ReadTotals];
  assert.equal(totals.packets, a.packets + b.packets);
  assert.equal(totals.flows, a.flows + b.flows);
  assert.equal(totals.fromUs, Math.min(a.fromUs, b.fromUs));
  assert.equal(totals.untilUs, Math.max(a.untilUs, b.untilUs));
  assert.equal(progress.at(-1), totals.packets);
});

test("a capture that ends in an error is told with the other's totals", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-observers-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "a.pcap");
  generateCapture(path, { ...USUAL_TRAFFIC, packets: 1000, flowsPerSecond: 1000, seed: 1 });
  const { told, totals } = await all(readObservers(["/dev/null", path], ["nobody", "a"]));
  assert.equal(totals.errors.length, 1);
  assert.equal(totals.packets, 1000);
  assert.ok(told.some(({ origin }) => origin.collector === "a"));
});
