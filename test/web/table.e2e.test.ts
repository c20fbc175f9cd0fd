import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { EdgesAnswer } from "../../web/api/contract.js";
import { type Explorer, serveExplorer } from "./browser.js";
import { largeSource } from "./large-graph.js";

let explorer: Explorer;
before(async () => {
  explorer = await serveExplorer(largeSource(2000, 30_000));
});
after(async () => {
  await explorer.close();
});

test("a table of tens of thousands of rows keeps few of them in the document, and has the last one", async () => {
  const page = await explorer.open("/explore?view=table&sort=bytes");
  await page.waitForSelector(".rows .row .cell-client");
  const rows = () => page.locator(".rows .row").count();
  assert.ok((await rows()) <= 60, String(await rows()));
  const total = Number(await page.getAttribute(".table-scroll", "aria-rowcount")) - 1;
  assert.ok(total > 25_000);
  await page.focus(".table-scroll");
  await page.keyboard.press("End");
  await page.waitForSelector(`#row-${total - 1} .cell-client`);
  assert.ok((await rows()) <= 60, String(await rows()));
  const url = new URL(`/api/edges?sort=bytes&dir=asc&limit=1&offset=${total - 1}`, explorer.server.url);
  const { edges } = (await (await fetch(url)).json()) as EdgesAnswer;
  assert.equal(await page.textContent(`#row-${total - 1} .cell-client`), edges[0]?.clientLabel);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`.detail[data-edge="${edges[0]?.id}"]`);
  await page.click("role=columnheader[name=/Client/] >> button");
  await page.waitForSelector("[role=columnheader][aria-sort=descending] >> text=Client");
  assert.deepEqual(explorer.complaints, []);
});
