import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { Store } from "../../../analyzer/store/store.js";
import { StoreError } from "../../../analyzer/store/store-error.js";
import { HOUR_US } from "../../../model/time-window.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-store-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sorted = async (store: Store) =>
  (await store.conversations({}, "hour")).windows.map((window) => JSON.stringify(window)).sort();

test("a batch that comes again is taken once, also by a store that was opened anew", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.duckdb");
    const first = await Store.open({ path });
    const batch = batchOf(originOf("a", 0), [{}, { fromPort: 40_001 }]);
    assert.deepEqual(await first.append([batch, batch]), { batches: 1, duplicates: 1, flows: 2, malformed: 0 });
    await first.close();
    const second = await Store.open({ path });
    assert.deepEqual(await second.append([batch]), { batches: 0, duplicates: 1, flows: 0, malformed: 0 });
    assert.equal((await second.sensors())[0]?.flows, 2);
    await second.close();
  }));

test("what was stored answers the same after the store is opened anew", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.duckdb");
    const first = await Store.open({ path });
    await first.append([
      batchOf(originOf("a", 0), [
        { names: [{ name: "x.example", source: "sni" }] },
        { to: "2001:db8::7", startUs: T0 + HOUR_US },
      ]),
      batchOf(originOf("b", 4), [{ startUs: T0 + SECOND }], { dropped: 7 }),
    ]);
    const before = [await sorted(first), await first.sensors(), await first.gaps()];
    await first.close();
    const second = await Store.open({ path });
    assert.deepEqual([await sorted(second), await second.sensors(), await second.gaps()], before);
    await second.close();
  }));

test("the caller's arrays stay the caller's", async () => {
  const store = await Store.open({ path: ":memory:" });
  const batch = batchOf(originOf("a", 0), [{}]);
  await store.append([batch]);
  assert.equal(batch.startUs[0], T0);
  await store.close();
});

test("losses become gaps, hours in a row as one, and a sensor with an uncounted loss has lost an unknown number", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([
    batchOf(originOf("a", 0), [{ startUs: T0, endUs: T0 + SECOND }], { dropped: 5 }),
    batchOf(originOf("a", 1), [{ startUs: T0 + HOUR_US, endUs: T0 + HOUR_US + SECOND }], { dropped: 6 }),
    batchOf(originOf("b", 0), [{ startUs: T0, endUs: T0 + SECOND }], { dropped: "unknown" }),
    batchOf(originOf("c", 0), [{ startUs: T0, endUs: T0 + SECOND }]),
    batchOf(originOf("c", 2), [{ startUs: T0 + 9 * SECOND, endUs: T0 + 10 * SECOND }]),
  ]);
  assert.deepEqual(
    (await store.gaps()).map(({ collector, fromUs, untilUs, lost, reason }) => [
      collector,
      fromUs - T0,
      untilUs - T0,
      lost,
      reason,
    ]),
    [
      ["a", 0, HOUR_US + SECOND, 11, "the kernel or the interface dropped packets before they could be read"],
      ["b", 0, SECOND, "unknown", "the source cannot tell how many packets it missed"],
      ["c", SECOND, 10 * SECOND, "unknown", 'batch 1 of start "boot-1", bucket 0, never arrived'],
    ],
  );
  assert.deepEqual(
    (await store.sensors()).map(({ collector, batches, flows, dropped }) => [collector, batches, flows, dropped]),
    [
      ["a", 2, 2, 11],
      ["b", 1, 1, "unknown"],
      ["c", 2, 2, 0],
    ],
  );
  await store.close();
});

test("samples are the earliest flows of the conversations asked for, each seen flow once", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.append([
    batchOf(originOf("a", 0), [
      { startUs: T0 + 30 * SECOND, fromPort: 3 },
      { startUs: T0 + 10 * SECOND, fromPort: 1 },
      { startUs: T0 + 20 * SECOND, fromPort: 2, to: "10.0.0.9" },
    ]),
    batchOf(originOf("b", 0), [{ startUs: T0 + 11 * SECOND, fromPort: 1 }]),
  ]);
  const key = { client: "10.0.0.1", server: "10.0.0.2", protocol: 6, serverPort: 443, scope: "" };
  const samples = await store.samples([key, { ...key, client: "192.0.2.99" }], {}, 10);
  assert.deepEqual(
    samples.map(({ clientPort, startUs, observer }) => [clientPort, startUs - T0, observer]),
    [
      [1, 10 * SECOND, "a"],
      [3, 30 * SECOND, "a"],
    ],
  );
  assert.equal((await store.samples([key], {}, 1)).length, 1);
  await store.close();
});

test("a span selects the windows that it touches", async () => {
  const store = await Store.open({ path: ":memory:" });
  const starts = [0, 1, 2, 3].map((hour) => ({ startUs: T0 + hour * HOUR_US, fromPort: 40_000 + hour }));
  await store.append([batchOf(originOf("a", 0), starts)]);
  const span = { fromUs: T0 + HOUR_US, untilUs: T0 + 3 * HOUR_US };
  for (const width of ["hour", "minute"] as const) {
    const { windows } = await store.conversations(span, width);
    assert.deepEqual(windows.map(({ windowStartUs }) => (windowStartUs - T0) / HOUR_US).sort(), [1, 2]);
  }
  await store.close();
});

async function failureOf(work: Promise<unknown>): Promise<StoreError> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof StoreError, String(error));
  assert.ok(!error.message.includes("\n"));
  return error;
}

test("open() refuses a file that this process has open, and takes it when it is free again", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.duckdb");
    const store = await Store.open({ path });
    assert.equal((await failureOf(Store.open({ path }))).code, "in-use");
    await store.close();
    await (await Store.open({ path })).close();
  }));

test("open() refuses a file of a newer version, another database and what is no database, and leaves them as they are", () =>
  withFolder(async (folder) => {
    const newer = join(folder, "newer.duckdb");
    await (await Store.open({ path: newer })).close();
    const instance = await DuckDBInstance.create(newer);
    const connection = await instance.connect();
    await connection.run("UPDATE schema_version SET version = 99");
    connection.closeSync();
    instance.closeSync();
    const versionError = await failureOf(Store.open({ path: newer }));
    assert.equal(versionError.code, "newer-version");
    assert.match(versionError.message, /newer\.duckdb": it has schema version 99, wanted at most 2/);

    const foreign = join(folder, "foreign.duckdb");
    const other = await DuckDBInstance.create(foreign);
    const foreignConnection = await other.connect();
    await foreignConnection.run("CREATE TABLE t (x INTEGER)");
    foreignConnection.closeSync();
    other.closeSync();
    assert.equal((await failureOf(Store.open({ path: foreign }))).code, "not-a-store");

    const text = join(folder, "text.duckdb");
    writeFileSync(text, "this is not a database, but it is long enough to hold a header".repeat(200));
    assert.equal((await failureOf(Store.open({ path: text }))).code, "not-a-store");
    assert.equal((await failureOf(Store.open({ path: folder }))).code, "io");
    const nowhere = join(folder, "no", "such", "folder.duckdb");
    assert.equal((await failureOf(Store.open({ path: nowhere }))).code, "io");
    assert.equal(existsSync(join(folder, "no")), false);
  }));

test("a file of the first version is made one of this, and answers as it did", () =>
  withFolder(async (folder) => {
    const path = join(folder, "first.duckdb");
    const many = 2 ** 33 + 1;
    const batch = batchOf(originOf("a", 0), [{ packets: [3, many], bytes: [180, many * 1000] }, { fromPort: 40_001 }]);
    const before = await Store.open({ path });
    await before.append([batch]);
    const answer = await sorted(before);
    await before.close();
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    for (const column of ["originator_packets", "responder_packets", "originator_bytes", "responder_bytes"])
      await connection.run(`ALTER TABLE flows ALTER COLUMN ${column} TYPE DOUBLE`);
    await connection.run("UPDATE schema_version SET version = 1");
    connection.closeSync();
    instance.closeSync();

    const store = await Store.open({ path });
    assert.deepEqual(await sorted(store), answer);
    await store.append([batchOf(originOf("b", 0), [{ startUs: T0 + HOUR_US, packets: [many, 1] }])]);
    await store.close();
    const again = await Store.open({ path });
    const { windows } = await again.conversations({ fromUs: T0 + HOUR_US }, "hour");
    assert.deepEqual(
      windows.map(({ clientPackets, serverPackets }) => [clientPackets, serverPackets]),
      [[many, 1]],
    );
    await again.close();
    const reader = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
    const asked = await reader.connect();
    const version = "SELECT version, (SELECT any_value(typeof(responder_bytes)) FROM flows) FROM schema_version";
    assert.deepEqual((await asked.runAndReadAll(version)).getRowsJS(), [[2, "UBIGINT"]]);
    asked.closeSync();
    reader.closeSync();
  }));

test("a store that is closed says so", async () => {
  const store = await Store.open({ path: ":memory:" });
  await store.close();
  assert.equal((await failureOf(store.append([]))).code, "failed");
});
