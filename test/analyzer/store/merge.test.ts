import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Analyzer } from "../../../analyzer/analyzer.js";
import { graphJson } from "../../../analyzer/graph/graph-json.js";
import { renderProposal } from "../../../analyzer/proposal-file.js";
import { mergeStores } from "../../../analyzer/store/merge.js";
import { Store } from "../../../analyzer/store/store.js";
import type { FlowBatch } from "../../../model/flow-batch.js";
import { parseInventory } from "../../../model/inventory-file.js";
import { HOUR_US } from "../../../model/time-window.js";
import { batchOf, originOf, SECOND, T0, type TestFlow } from "../batches.js";

const INVENTORY = parseInventory(`
version: 1
workloads:
  - { namespace: shop, name: web, labels: { app: web }, addresses: [10.0.0.1, 10.0.0.2] }
  - { namespace: shop, name: db, labels: { app: db }, addresses: [10.0.1.1] }
  - { namespace: shop, name: cache, labels: { app: cache }, addresses: ["2001:db8::7"] }
`);
const LATER = parseInventory(`{ version: 1, workloads: [{ namespace: shop, name: front, addresses: [10.0.0.1] }] }`);

async function withFolder(work: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-merge-"));
  try {
    await work((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two collectors see the flows of two buckets over five hours, one batch an hour; the second is late, deaf and fast by 2 s. */
function batches(): FlowBatch[] {
  const all: FlowBatch[] = [];
  for (let hour = 0; hour < 5; hour++) {
    for (const bucket of [0, 1]) {
      const flows = Array.from({ length: 12 }, (_, i): TestFlow => {
        const [from, to, port] =
          bucket === 0 ? [`10.0.0.${1 + (i % 2)}`, "10.0.1.1", 5432] : ["10.0.0.2", "2001:db8::7", 6379];
        const startUs = T0 + hour * HOUR_US + (i * 290 + bucket) * SECOND;
        const names = i === 0 ? [{ name: `db-${hour}.example`, source: "dns" as const }] : [];
        return {
          from,
          to,
          port,
          fromPort: 40_000 + hour * 100 + i,
          startUs,
          names,
          scope: i === 5 ? '{"vlan":[7],"tunnel":[]}' : "",
        };
      });
      all.push(batchOf(originOf("one", hour, "boot-1", bucket), flows, { dropped: hour === 2 ? 5 : 0 }));
      const also = flows
        .filter((_, i) => i % 3 !== 0)
        .map((flow) => ({ ...flow, startUs: (flow.startUs ?? 0) + 2 * SECOND, packets: [9, 1] as const }));
      all.push(
        batchOf(originOf("two", hour === 4 ? 5 : hour, "boot-1", bucket), also, {
          dropped: hour === 3 ? "unknown" : 0,
        }),
      );
    }
  }
  return all;
}

async function fill(
  path: string,
  taken: readonly FlowBatch[],
  options: { maxFlows?: number; inventory?: typeof INVENTORY } = {},
) {
  const { maxFlows, inventory = INVENTORY } = options;
  const analyzer = await Analyzer.open({ path, inventory, ...(maxFlows === undefined ? {} : { maxFlows }) });
  for (const batch of taken) {
    await analyzer.ingest(batch);
    if (maxFlows !== undefined) await analyzer.flush();
  }
  await analyzer.close();
}

/** Everything that is published of a store. */
async function publishedOf(path: string): Promise<string[]> {
  const analyzer = await Analyzer.open({ path });
  const texts = [
    graphJson(await analyzer.graph("workload", {})),
    renderProposal(await analyzer.proposal()),
    JSON.stringify(await analyzer.sensors()),
  ];
  await analyzer.close();
  return texts;
}

const bucketOf = ({ origin }: FlowBatch) => origin.bucket;

test("the stores of analyzers that shared the partitions make one that answers as if one had read everything", () =>
  withFolder(async (path) => {
    const all = batches();
    await fill(path("all"), all);
    await fill(
      path("a"),
      all.filter((batch) => bucketOf(batch) === 0),
    );
    await fill(path("b"), all.filter((batch) => bucketOf(batch) === 1).reverse());
    const report = await mergeStores({ out: path("merged"), sources: [path("b"), path("a")] });
    assert.deepEqual(report, { flows: 200, batches: 20, duplicates: 0, collectors: 2 });
    assert.deepEqual(await publishedOf(path("merged")), await publishedOf(path("all")));
  }));

test("batches that two stores took, after a partition moved, are counted once, whatever the order", () =>
  withFolder(async (path) => {
    const all = batches();
    await fill(path("all"), all);
    const wanted = await publishedOf(path("all"));
    // Bucket 1 moved after its sixth batch, and the new owner began four batches too early.
    const moved = all.filter((batch) => bucketOf(batch) === 1);
    await fill(path("a"), [...all.filter((batch) => bucketOf(batch) === 0), ...moved.slice(0, 6)]);
    await fill(path("b"), moved.slice(2));
    for (const [name, sources] of [
      ["ab", [path("a"), path("b")]],
      ["ba", [path("b"), path("a")]],
      ["aab", [path("a"), path("ab"), path("b")]],
    ] as const) {
      const { duplicates } = await mergeStores({ out: path(name), sources });
      assert.equal(duplicates, name === "aab" ? 16 + 8 : 4, name);
      assert.deepEqual(await publishedOf(path(name)), wanted, name);
    }
  }));

test("closed hours are merged as windows; records of what the other closed go, and what both closed is told", () =>
  withFolder(async (path) => {
    const all = batches();
    await fill(path("all"), all);
    const countOf = async (name: string) => {
      const store = await Store.open({ path: path(name) });
      const { windows } = await store.conversations({}, "hour");
      const gaps = (await store.gaps()).map(({ reason }) => reason).filter((reason) => /closed/.test(reason));
      await store.close();
      return { flows: windows.reduce((sum, { flows }) => sum + flows.answered, 0), gaps };
    };
    const { flows } = await countOf("all");
    await fill(path("open"), all);
    await fill(path("closed"), all, { maxFlows: 90 });
    await mergeStores({ out: path("x"), sources: [path("open"), path("closed")] });
    await mergeStores({ out: path("y"), sources: [path("closed"), path("open")] });
    assert.deepEqual(await countOf("x"), { flows, gaps: [] });
    assert.deepEqual(await countOf("y"), { flows, gaps: [] });
    await fill(path("closed too"), all, { maxFlows: 90 });
    await mergeStores({ out: path("z"), sources: [path("closed"), path("closed too")] });
    const both = await countOf("z");
    assert.ok(both.flows > flows && both.gaps.length > 0, JSON.stringify(both));
  }));

test("the newest inventory that all have had is in force, for all rows; where there is none it must be given", () =>
  withFolder(async (path) => {
    const all = batches();
    await fill(path("all"), all, { inventory: LATER });
    await fill(
      path("a"),
      all.filter((batch) => bucketOf(batch) === 0),
    );
    await fill(
      path("b"),
      all.filter((batch) => bucketOf(batch) === 1),
    );
    await fill(path("b"), [], { inventory: LATER });
    await mergeStores({ out: path("merged"), sources: [path("a"), path("b")] });
    assert.deepEqual(await publishedOf(path("merged")), await publishedOf(path("all")));

    await fill(path("c"), [], {
      inventory: parseInventory("{ version: 1, groups: [{ name: x, cidrs: [192.0.2.0/24] }] }"),
    });
    const sources = [path("b"), path("c")];
    await assert.rejects(mergeStores({ out: path("other"), sources }), {
      name: "StoreError",
      message: /their inventories differ; wanted --inventory FILE$/,
    });
    assert.equal(existsSync(path("other")), false);
    await mergeStores({ out: path("other"), sources, inventory: LATER });
    await assert.rejects(mergeStores({ out: path("other"), sources }), /wanted a file that is not there yet$/);
    await assert.rejects(mergeStores({ out: path("new"), sources: [path("missing")] }), /there is no such file$/);
  }));
