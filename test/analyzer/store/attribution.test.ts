import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Store } from "../../../analyzer/store/store.js";
import { identityKey } from "../../../model/identity-index.js";
import { HOUR_US } from "../../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../../model/workload.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

function workload(name: string, addresses: Workload["addresses"]): Workload {
  return { id: `shop/${name}`, namespace: "shop", name, kind: "Host", labels: { app: name }, addresses };
}

const inventoryOf = (...workloads: Workload[]): Inventory => ({ ...EMPTY_INVENTORY, workloads });

async function pairs(store: Store): Promise<string[]> {
  const { windows } = await store.conversations({}, "hour");
  return windows
    .map(({ windowStartUs, clientIdentity, serverIdentity, flows }) => {
      const hour = (windowStartUs - T0) / HOUR_US;
      return `${hour} ${identityKey(clientIdentity)} > ${identityKey(serverIdentity)}: ${flows.answered}`;
    })
    .sort();
}

const HALF = T0 + HOUR_US / 2;
const MOVED = inventoryOf(
  workload("new", [{ address: "10.0.0.2", fromUs: HALF }]),
  workload("old", [{ address: "10.0.0.2", untilUs: HALF }]),
  workload("web", [{ address: "10.0.0.1" }]),
);
const FLOWS = [0, 10, 40, 50].map((minute) => ({ startUs: T0 + minute * 60 * SECOND, fromPort: 40_000 + minute }));
const WANTED = ["0 workload:shop/web > workload:shop/new: 2", "0 workload:shop/web > workload:shop/old: 2"];

test("an address that moves from one workload to another half-way through an hour belongs to each in its time", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.reattribute(MOVED);
  await store.append([batchOf(originOf("a", 0), FLOWS)]);
  assert.deepEqual(await pairs(store), WANTED);
  await store.close();
});

test("an inventory that comes late repairs history, and one that is corrected repairs it again", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([batchOf(originOf("a", 0), FLOWS)]);
  assert.deepEqual(await pairs(store), ["0 group:private > group:private: 4"]);
  assert.deepEqual(await store.reattribute(MOVED), { addresses: 2, flows: 8 });
  assert.deepEqual(await pairs(store), WANTED);
  const corrected = inventoryOf(workload("old", [{ address: "10.0.0.2" }]), workload("web", [{ address: "10.0.0.1" }]));
  assert.deepEqual(await store.reattribute(corrected), { addresses: 1, flows: 2 });
  assert.deepEqual(await pairs(store), ["0 workload:shop/web > workload:shop/old: 4"]);
  assert.deepEqual(await store.reattribute(corrected), { addresses: 0, flows: 0 });
  await store.close();
});

test("the addresses stay what they were, whoever they are attributed to", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([batchOf(originOf("a", 0), FLOWS)]);
  await store.reattribute(MOVED);
  const { windows } = await store.conversations({}, "minute");
  assert.deepEqual([...new Set(windows.map(({ client, server }) => `${client} ${server}`))], ["10.0.0.1 10.0.0.2"]);
  await store.close();
});

test("an inventory is stored with the flows and in force after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-store-"));
  const path = join(folder, "a.duckdb");
  try {
    const first = await Store.open({ path });
    await first.reattribute(MOVED);
    await first.close();
    const second = await Store.open({ path });
    assert.deepEqual(second.inventory.workloads, MOVED.workloads);
    await second.append([batchOf(originOf("a", 0), FLOWS)]);
    assert.deepEqual(await pairs(second), WANTED);
    await second.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("only what changed is counted anew: flows of other addresses keep their identity and their windows", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.reattribute(inventoryOf(workload("web", [{ address: "10.0.0.1" }])));
  await store.append([
    batchOf(originOf("a", 0), [
      ...FLOWS,
      ...FLOWS.map((flow) => ({ ...flow, to: "10.0.0.3", startUs: flow.startUs + HOUR_US })),
    ]),
  ]);
  await store.conversations({}, "hour");
  const next = inventoryOf(workload("db", [{ address: "10.0.0.3" }]), workload("web", [{ address: "10.0.0.1" }]));
  assert.deepEqual(await store.reattribute(next), { addresses: 1, flows: 4 });
  assert.deepEqual(await pairs(store), [
    "0 workload:shop/web > group:private: 4",
    "1 workload:shop/web > workload:shop/db: 4",
  ]);
  await store.close();
});
