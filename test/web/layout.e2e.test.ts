import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { layoutInputOf } from "../../web/api/chart-map.js";
import type { LayoutAnswer, MapAnswer } from "../../web/api/contract.js";
import { layoutChart } from "../../web/layout/chart-layout.js";
import { type Explorer, serveExplorer } from "./browser.js";
import { companySource } from "./company.js";
import { largeSource } from "./large-graph.js";

const sizes = [
  { name: "2,000 nodes and 10,000 edges", source: largeSource(2000, 10_000), group: "namespace" },
  { name: "2,000 nodes by app", source: largeSource(2000, 10_000), group: "label:app" },
  { name: "1,600 nodes and 3,000 edges", source: largeSource(1600, 3000), group: "namespace" },
];

for (const { name, source, group } of sizes) {
  test(`a page's worker lays out ${name} to the same bytes as Node`, async () => {
    const explorer = await serveExplorer(source);
    try {
      const page = await explorer.open(`/explore?open=*&group=${encodeURIComponent(group)}`);
      await page.waitForSelector(".chart[data-layout]");
      const { hash } = layoutChart(layoutInputOf(await source.graph("workload", {}), group));
      assert.equal(await page.getAttribute(".chart", "data-layout"), hash);
      const question = new URL(`/api/layout?group=${encodeURIComponent(group)}`, explorer.server.url);
      const { nodes, links } = (await (await fetch(question)).json()) as LayoutAnswer;
      assert.equal(layoutChart({ nodes, links }).hash, hash);
      assert.deepEqual(explorer.complaints, []);
    } finally {
      await explorer.close();
    }
  });
}

let explorer: Explorer;
before(async () => {
  explorer = await serveExplorer(companySource());
});
after(async () => {
  await explorer.close();
});

test("a small graph comes with its positions, and they are the ones of the layout module", async () => {
  const map = (await (await fetch(new URL("/api/map", explorer.server.url))).json()) as MapAnswer;
  const layout = layoutChart(layoutInputOf(await companySource().graph("workload", {}), "namespace"));
  assert.equal(map.layoutHash, layout.hash);
  const places = new Map(layout.nodes.map((node) => [node.id, node]));
  for (const mark of map.marks) assert.deepEqual([mark.x, mark.y], [places.get(mark.id)?.x, places.get(mark.id)?.y]);
});
