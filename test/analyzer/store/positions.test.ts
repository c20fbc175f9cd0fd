import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Store } from "../../../analyzer/store/store.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-positions-"));
  try {
    await work(join(folder, "a.duckdb"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const partition = (number: number, source = "kafka/one/flows") => ({
  source,
  topic: "portolan.flows",
  partition: number,
});
const next = (offset: bigint, number = 0) => ({ ...partition(number), next: offset, reachedUs: T0 });
const loss = { version: 1, collector: "a", boot: "boot-1", bucket: 0, fromUs: T0, untilUs: T0 + SECOND } as const;
const gapsOf = async (store: Store) =>
  (await store.gaps()).map(({ collector, fromUs, untilUs, lostFlows, reason }) => [
    collector,
    fromUs === 0 ? 0 : fromUs - T0,
    untilUs === 0 ? 0 : untilUs - T0,
    lostFlows,
    reason,
  ]);

test("rows and the position behind them are stored together, per source, topic and partition", () =>
  withFile(async (path) => {
    const store = await Store.open({ path });
    await store.append([batchOf(originOf("a", 0), [{}])], { positions: [next(7n), next(3n, 1)] });
    await store.append([], { positions: [next(9n)] });
    await store.close();
    const again = await Store.open({ path });
    const asked = [partition(0), partition(1), partition(2), partition(0, "kafka/two/flows")];
    assert.deepEqual(
      (await again.positions(asked)).map(({ partition: number, next: offset }) => [number, offset]),
      [
        [0, 9n],
        [1, 3n],
      ],
    );
    await again.release([partition(0)]);
    assert.deepEqual(await again.positions([partition(0)]), []);
    await again.close();
  }));

test("messages that a log no longer had are a gap, as long in time as the messages around it tell", () =>
  withFile(async (path) => {
    const store = await Store.open({ path });
    await store.append([], { positions: [next(5n)] });
    await store.append([], { lost: [{ ...partition(0), from: 5n, until: 40n }] });
    const reason = "portolan.flows, partition 0: messages 5 to 39 were deleted before they were read";
    assert.deepEqual(await gapsOf(store), [["*", 0, 0, undefined, reason]]);
    assert.equal((await store.positions([partition(0)]))[0]?.next, 40n);
    await store.close();
    const again = await Store.open({ path });
    await again.append([], { positions: [{ ...next(41n), reachedUs: T0 + 60 * SECOND }] });
    await again.append([], { positions: [{ ...next(42n), reachedUs: T0 + 90 * SECOND }] });
    assert.deepEqual(await gapsOf(again), [["*", 0, 60 * SECOND, undefined, reason]]);
    await again.close();
  }));

test("a hole that its collector counted has that count, once, until its batches come all the same", () =>
  withFile(async (path) => {
    const store = await Store.open({ path });
    const announced = [{ ...loss, first: 1, last: 2, flows: 1712, reason: "spool-full" as const }];
    await store.append([], { announced });
    await store.append([batchOf(originOf("a", 0), [{}]), batchOf(originOf("a", 5), [{}])], { announced });
    const counted = [
      ...["a", 0, SECOND, 1712],
      'batches 1 to 2 of start "boot-1", bucket 0, 1712 flows: given up by the collector, whose spool was full',
    ];
    const silent = ["a", SECOND, SECOND, undefined, 'batches 3 to 4 of start "boot-1", bucket 0, never arrived'];
    assert.deepEqual(await gapsOf(store), [counted, silent]);
    await store.close();
    const again = await Store.open({ path });
    assert.deepEqual(await gapsOf(again), [counted, silent]);
    await again.append([1, 3, 4].map((sequence) => batchOf(originOf("a", sequence), [{}])));
    assert.deepEqual(await gapsOf(again), [
      [
        ...["a", 0, SECOND, undefined],
        'batch 2 of start "boot-1", bucket 0, at most 1712 flows: given up by the collector, whose spool was full',
      ],
    ]);
    await again.append([batchOf(originOf("a", 2), [{}])]);
    assert.deepEqual(await gapsOf(again), []);
    await again.close();
  }));

test("a loss behind the last batch, or of a collector that was never heard of, is a gap as well", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([], { announced: [{ ...loss, first: 0, last: 0, flows: 3, reason: "disk-full" }] });
  assert.deepEqual(
    (await store.gaps()).map(({ lostFlows }) => lostFlows),
    [3],
  );
  assert.deepEqual(
    (await store.sensors()).map(({ collector, batches }) => [collector, batches]),
    [["a", 0]],
  );
  await store.close();
});
