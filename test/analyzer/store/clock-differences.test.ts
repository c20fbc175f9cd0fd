import assert from "node:assert/strict";
import test from "node:test";
import { Store } from "../../../analyzer/store/store.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

/** Ten flows as one collector saw them, whose clock is `aheadUs` fast; some noise stands for the way between the hosts. */
const seen = (collector: string, aheadUs: number, count = 10) =>
  batchOf(
    originOf(collector, 0),
    Array.from({ length: count }, (_, i) => ({
      fromPort: 40_000 + i,
      startUs: T0 + i * 10 * SECOND + aheadUs + ((i * 7919) % 400),
      ...(i === 0 ? { evidence: "first-packet" as const, outcome: "midstream" as const } : {}),
    })),
  );

const answeredIn = async (store: Store) =>
  (await store.conversations({}, "hour")).windows.reduce((sum, { flows }) => sum + flows.answered, 0);

for (const aheadUs of [4_900_000, -4_900_000]) {
  test(`clocks ${aheadUs / SECOND} s apart: flows that both saw are counted once, and the difference is told`, async () => {
    const store = await Store.open({ path: ":memory:" });
    await store.append([seen("a", aheadUs), seen("b", 0), seen("c", 0, 3)]);
    const [a, b, c] = await store.sensors();
    assert.deepEqual(
      a?.clocks?.map(({ other, flows }) => [other, flows]),
      [["b", 9]],
      "c shares too few flows with it",
    );
    assert.ok(Math.abs((a?.clocks?.[0]?.aheadUs ?? 0) - aheadUs) < 1000, JSON.stringify(a));
    assert.equal(b?.clocks?.[0]?.aheadUs, -(a?.clocks?.[0]?.aheadUs ?? 0));
    assert.equal(c?.clocks, undefined);
    assert.equal(await answeredIn(store), 9);
    assert.deepEqual(await store.gaps(), []);
    await store.close();
  });
}

test("clocks too far apart to bring flows together are a gap that says so", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([seen("a", 0), seen("b", -8 * SECOND)]);
  const [gap, ...others] = await store.gaps();
  assert.deepEqual(others, []);
  assert.equal(gap?.collector, "a");
  assert.equal(gap.reason, "its clock is 8.0 s ahead of that of b, by 9 flows: what both saw is counted twice");
  await store.close();
});
