import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chartCaptures, type Journey } from "../../cli/journey.js";
import { readInventory } from "../../cli/read-inventory.js";
import { RENDERERS } from "../../cli/targets.js";
import type { BundleAnswer, EdgeAnswer, EdgesAnswer, MapAnswer, ProposalAnswer } from "../../web/api/contract.js";
import { axeFindings, type Explorer, serveExplorer } from "./browser.js";

const LAB = new URL("../../../test/fixtures/lab/", import.meta.url);

let journey: Journey;
let explorer: Explorer;

before(async () => {
  const inventory = readInventory(fileURLToPath(new URL("inventory.yaml", LAB)));
  journey = await chartCaptures([fileURLToPath(new URL("lab.pcap", LAB))], { title: "Lab", inventory });
  explorer = await serveExplorer(journey.analyzer, async (target) => {
    const render = RENDERERS.get(target);
    assert.ok(render !== undefined, target);
    return render(journey.proposal.policySet, inventory, { mode: "audit" });
  });
});
after(async () => {
  await explorer?.close();
  await journey?.analyzer.close();
});

async function ask<T>(path: string): Promise<T> {
  const reply = await fetch(new URL(path, explorer.server.url));
  assert.equal(reply.status, 200, `${path}: ${reply.status}`);
  return (await reply.json()) as T;
}

test("real traffic has equal counts on the map, in the table and in the graph file", async () => {
  const map = await ask<MapAnswer>("/api/map");
  const table = await ask<EdgesAnswer>("/api/edges");
  assert.deepEqual(map.counts, table.counts);
  assert.equal(map.total.edges, journey.graph.edges.length);
  assert.equal(map.total.nodes, journey.graph.nodes.length);
  assert.ok(map.counts.allowed > 0 && map.counts.excluded > 0);
});

test("every edge of real traffic has a reason, and every allowed one a rule and a sample flow", async () => {
  const { edges } = await ask<EdgesAnswer>("/api/edges?limit=500");
  for (const edge of edges) {
    assert.notEqual(edge.reason, "", edge.id);
    assert.equal(edge.state === "allowed", edge.rules.length > 0, edge.id);
  }
  for (const edge of edges.filter(({ state }) => state === "allowed").slice(0, 10)) {
    const detail = await ask<EdgeAnswer>(`/api/edges/${encodeURIComponent(edge.id)}`);
    assert.ok(detail.samples.length > 0 && detail.windows.length > 0, edge.id);
  }
});

test("every proposed rule of real traffic can be opened and leads to edges", async () => {
  const { proposal } = await ask<ProposalAnswer>("/api/proposal");
  for (const { id } of proposal.policySet.rules) {
    const { total } = await ask<EdgesAnswer>(`/api/edges?q=${encodeURIComponent(`rule=${id}`)}&limit=1`);
    const { edgeCount } = await ask<{ edgeCount: number }>(`/api/proposal/rules/${encodeURIComponent(id)}`);
    assert.equal(edgeCount, total, id);
  }
});

test("the pages of real traffic draw, read and download in both themes", async () => {
  for (const scheme of ["light", "dark"] as const) {
    const page = await explorer.open("/explore", scheme);
    await page.waitForSelector(".chart[data-layout]");
    assert.deepEqual(await axeFindings(page), [], `map, ${scheme}`);
    await page.goto(new URL("/explore?view=table&q=state%3Dquarantined", explorer.server.url).href);
    await page.click(".rows .row");
    await page.waitForSelector(".detail[data-edge] .samples");
    assert.deepEqual(await axeFindings(page), [], `edge, ${scheme}`);
    await page.goto(new URL("/proposals", explorer.server.url).href);
    await page.waitForSelector(".rule-card");
    assert.deepEqual(await axeFindings(page), [], `proposal, ${scheme}`);
    await page.goto(new URL("/proposals?tab=files", explorer.server.url).href);
    await page.waitForSelector(".code");
    assert.deepEqual(await axeFindings(page), [], `files, ${scheme}`);
    const [archive] = await Promise.all([page.waitForEvent("download"), page.click(".bundle-bar a")]);
    assert.equal(archive.suggestedFilename(), "portolan-kubernetes.tar");
  }
  const bundle = await ask<BundleAnswer>("/api/bundles/nftables");
  assert.ok(bundle.files.some(({ text }) => /table inet/.test(text)));
  assert.deepEqual(explorer.complaints, []);
});
