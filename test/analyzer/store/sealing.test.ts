import assert from "node:assert/strict";
import test from "node:test";
import { Store } from "../../../analyzer/store/store.js";
import { HOUR_US } from "../../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory } from "../../../model/workload.js";
import { batchOf, originOf, SECOND, T0, type TestFlow } from "../batches.js";

const hourOf = (hour: number, more: TestFlow = {}): TestFlow[] =>
  Array.from({ length: 10 }, (_, i) => ({
    startUs: T0 + hour * HOUR_US + i * SECOND,
    fromPort: 40_000 + hour * 20 + i,
    ...more,
  }));

const BATCHES = [
  batchOf(originOf("a", 0), [
    ...hourOf(0),
    { startUs: T0 + 60 * SECOND, endUs: T0 + 3 * HOUR_US + SECOND, fromPort: 1 },
  ]),
  // In the later hours, one collector saw only what began in the hour that is sealed first.
  batchOf(originOf("b", 0), [
    ...hourOf(0),
    { startUs: T0 + 70 * SECOND, endUs: T0 + 2 * HOUR_US + SECOND, fromPort: 2 },
  ]),
  batchOf(originOf("a", 1), hourOf(1)),
  batchOf(originOf("a", 2), hourOf(2)),
  batchOf(originOf("a", 3), hourOf(3)),
];

async function filled(maxFlows: number): Promise<Store> {
  const store = await Store.open({ path: ":memory:", maxFlows });
  for (const batch of BATCHES) await store.append([batch]);
  return store;
}

const hourly = async (store: Store) =>
  (await store.conversations({}, "hour")).windows.map((window) => JSON.stringify(window)).sort();

test("hours whose records were given up answer as before", async () => {
  const whole = await filled(1000);
  const sealed = await filled(25);
  assert.deepEqual(await hourly(sealed), await hourly(whole));
  const key = { client: "10.0.0.1", server: "10.0.0.2", protocol: 6, serverPort: 443, scope: "" };
  const samples = await sealed.samples([key], {}, 100);
  assert.ok(samples.length > 0 && samples.every(({ startUs }) => startUs >= T0 + HOUR_US), "old records are gone");
  const kept = (await sealed.conversations({}, "hour")).samples(key);
  assert.equal(kept[0]?.startUs, T0);
  await whole.close();
  await sealed.close();
});

test("flows that come after their hour was closed are added, and said to be", async () => {
  const store = await filled(25);
  await store.append([batchOf(originOf("c", 0), [{ startUs: T0 + 5 * SECOND, fromPort: 7 }])]);
  const { windows } = await store.conversations({ untilUs: T0 + HOUR_US }, "hour");
  assert.equal(windows.length, 1);
  assert.equal(windows[0]?.flows.answered, 13);
  assert.deepEqual(windows[0]?.observers, ["a", "b", "c"]);
  const late = (await store.gaps()).find(({ collector }) => collector === "c");
  assert.match(late?.reason ?? "", /^1 flow came after their hour was closed/);
  await store.close();
});

test("a new inventory reaches the windows of closed hours too", async () => {
  const store = await filled(25);
  const inventory: Inventory = {
    ...EMPTY_INVENTORY,
    workloads: [{ id: "a/b", namespace: "a", name: "b", kind: "VM", labels: {}, addresses: [{ address: "10.0.0.2" }] }],
  };
  await store.reattribute(inventory);
  const { windows } = await store.conversations({}, "hour");
  assert.ok(windows.every(({ serverIdentity }) => serverIdentity.kind === "workload"));
  await store.close();
});
