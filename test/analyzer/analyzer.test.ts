import assert from "node:assert/strict";
import test from "node:test";
import { Analyzer } from "../../analyzer/analyzer.js";
import { graphJson } from "../../analyzer/graph/graph-json.js";
import { HOUR_US, MINUTE_US } from "../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../model/workload.js";
import { batchOf, originOf, SECOND, T0 } from "./batches.js";

function workload(name: string, address: string): Workload {
  return { id: `shop/${name}`, namespace: "shop", name, kind: "Host", labels: { app: name }, addresses: [{ address }] };
}

const INVENTORY: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [workload("api", "10.0.0.2"), workload("web", "10.0.0.1")],
  namespaces: [{ name: "shop", labels: {} }],
};

const flowsOver = (spanUs: number) =>
  Array.from({ length: 40 }, (_, i) => ({ startUs: T0 + Math.floor((i * spanUs) / 40), fromPort: 40_000 + i }));

async function withAnalyzer(work: (analyzer: Analyzer) => Promise<void>, inventory?: Inventory): Promise<void> {
  const analyzer = await Analyzer.open({ path: ":memory:", inventory });
  try {
    await work(analyzer);
  } finally {
    await analyzer.close();
  }
}

test("an empty analyzer answers every question", () =>
  withAnalyzer(async (analyzer) => {
    assert.deepEqual((await analyzer.graph("app", {})).edges, []);
    assert.equal((await analyzer.proposal()).state, "not-enough-data");
    assert.deepEqual(await analyzer.timeline(10), []);
    assert.deepEqual(await analyzer.sensors(), []);
    assert.equal(await analyzer.edge("app", "a>b/tcp/1", {}), undefined);
  }));

test("what was taken and flushed is in the graph, with samples and activity behind each edge", () =>
  withAnalyzer(async (analyzer) => {
    await analyzer.ingest(batchOf(originOf("a", 0), flowsOver(10 * MINUTE_US)));
    await analyzer.flush();
    const graph = await analyzer.graph("workload", {});
    assert.deepEqual(
      graph.edges.map(({ id, flows }) => [id, flows.answered]),
      [["workload:shop/web>workload:shop/api/tcp/443", 40]],
    );
    const detail = await analyzer.edge("workload", graph.edges[0]?.id ?? "", {});
    assert.equal(detail?.samples.length, 10);
    assert.equal(detail?.samples[0]?.startUs, T0);
    assert.deepEqual(
      detail?.windows.map(({ startUs }) => (startUs - T0) / MINUTE_US),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  }, INVENTORY));

test("a span narrows the graph and the edge", () =>
  withAnalyzer(async (analyzer) => {
    await analyzer.ingest(batchOf(originOf("a", 0), flowsOver(10 * MINUTE_US)));
    await analyzer.flush();
    const span = { fromUs: T0, untilUs: T0 + 2 * MINUTE_US };
    const [edge] = (await analyzer.graph("namespace", span)).edges;
    assert.equal(edge?.flows.answered, 8);
    const detail = await analyzer.edge("namespace", edge?.id ?? "", span);
    assert.equal(detail?.samples.length, 8);
  }, INVENTORY));

test("the revision grows when data or inventory change, and only then", () =>
  withAnalyzer(async (analyzer) => {
    const heard: number[] = [];
    const stop = analyzer.onChange((revision) => heard.push(revision));
    const before = analyzer.revision();
    await analyzer.graph("app", {});
    await analyzer.flush();
    assert.equal(analyzer.revision(), before);
    const batch = batchOf(originOf("a", 0), flowsOver(MINUTE_US));
    await analyzer.ingest(batch);
    await analyzer.flush();
    assert.equal(analyzer.revision(), before + 1);
    await analyzer.ingest(batch);
    await analyzer.flush();
    assert.equal(analyzer.revision(), before + 1, "a repeated batch changes nothing");
    await analyzer.setInventory(INVENTORY);
    await analyzer.setInventory(structuredClone(INVENTORY));
    assert.equal(analyzer.revision(), before + 2);
    stop();
    await analyzer.setInventory(EMPTY_INVENTORY);
    assert.deepEqual(heard, [before + 1, before + 2]);
  }));

test("answers of one revision are the same object, those of the next are new", () =>
  withAnalyzer(async (analyzer) => {
    const first = await analyzer.graph("app", {});
    assert.equal(await analyzer.graph("app", {}), first);
    await analyzer.setInventory(INVENTORY);
    assert.notEqual(await analyzer.graph("app", {}), first);
  }));

test("an inventory that comes late gives the same bytes as one that was there first", async () => {
  const batches = [
    batchOf(originOf("a", 0), flowsOver(9 * HOUR_US)),
    batchOf(
      originOf("b", 0),
      flowsOver(9 * HOUR_US).map((flow) => ({ ...flow, startUs: flow.startUs + SECOND })),
    ),
  ];
  const texts: string[] = [];
  for (const isLate of [false, true]) {
    await withAnalyzer(async (analyzer) => {
      if (!isLate) await analyzer.setInventory(INVENTORY);
      for (const batch of isLate ? [...batches].reverse() : batches) {
        await analyzer.ingest(batch);
        await analyzer.flush();
        await analyzer.graph("app", {});
      }
      if (isLate) await analyzer.setInventory(INVENTORY);
      texts.push(graphJson(await analyzer.graph("workload", {})), JSON.stringify(await analyzer.proposal()));
    });
  }
  assert.equal(texts[0], texts[2]);
  assert.equal(texts[1], texts[3]);
});

test("a long time is shown in hours, its newest one in minutes, and no flow twice", () =>
  withAnalyzer(async (analyzer) => {
    await analyzer.ingest(batchOf(originOf("a", 0), flowsOver(10 * HOUR_US)));
    await analyzer.flush();
    const [edge] = (await analyzer.graph("workload", {})).edges;
    assert.equal(edge?.flows.answered, 40);
    assert.equal(edge?.windows, 10);
    const line = await analyzer.timeline(100);
    assert.equal(line.length, 10);
    assert.equal(
      line.reduce((sum, { answered }) => sum + answered, 0),
      40,
    );
    assert.deepEqual(
      (await analyzer.timeline(3)).map(({ widthUs }) => widthUs / HOUR_US),
      [4, 4, 4],
    );
  }, INVENTORY));

test("what was taken before close() is stored", async () => {
  const analyzer = await Analyzer.open({ path: ":memory:" });
  await analyzer.ingest(batchOf(originOf("a", 0), flowsOver(MINUTE_US)));
  await analyzer.close();
  await assert.rejects(analyzer.graph("app", {}), /Cannot use the store: it is closed/);
});
