import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeFindings, type Explorer, serveExplorer } from "./browser.js";
import { HOSTILE_NAMES, hostileSource } from "./hostile.js";

let explorer: Explorer;

before(async () => {
  explorer = await serveExplorer(hostileSource());
});
after(async () => {
  await explorer.close();
});

const edge = encodeURIComponent(
  `edge:workload:0/${HOSTILE_NAMES[0]?.slice(0, 40)}>workload:1/${HOSTILE_NAMES[1]?.slice(0, 40)}/tcp/443`,
);
const node = encodeURIComponent(`node:workload:9/${HOSTILE_NAMES[9]?.slice(0, 40)}`);
const PLACES = [
  "/explore",
  `/explore?sel=${edge}`,
  `/explore?sel=${node}`,
  "/explore?view=table",
  "/explore?view=matrix",
  `/explore?q=${encodeURIComponent('name="<script>window.harmed=1</script>"')}`,
  `/explore?sel=${encodeURIComponent("node:<img src=x onerror=window.harmed=1>")}`,
  "/proposals",
  "/proposals?tab=excluded",
  "/proposals?tab=coverage",
  "/enforcement",
  "/sensors",
];

test("hostile names are shown as text, run nothing and leave the page in shape", async () => {
  const page = await explorer.open("/explore");
  for (const path of PLACES) {
    await page.goto(new URL(path, explorer.server.url).href);
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate("window.harmed"), undefined, path);
    assert.equal(await page.evaluate("document.querySelectorAll('img').length"), 0, path);
    const text = String(await page.evaluate("document.body.innerText"));
    assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200b\u0000]/, path);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert.ok(Number(overflow) <= 0, `${path} is ${overflow} px too wide`);
    assert.deepEqual(await axeFindings(page), [], path);
  }
  await page.goto(new URL(`/explore?sel=${edge}`, explorer.server.url).href);
  await page.waitForSelector(".detail[data-edge]");
  assert.match((await page.textContent(".detail")) ?? "", /<img src=x onerror="window\.harmed=1">/);
});

test("exports hold no formula that a spreadsheet would run", async () => {
  const csv = await (await fetch(new URL("/api/edges?format=csv", explorer.server.url))).text();
  for (const line of csv.split("\r\n")) assert.doesNotMatch(line, /(?:^|,)"?[=+@-](?!\d)/);
  assert.match(csv, /"'=HYPERLINK/);
});

test("no page complained", () => {
  assert.deepEqual(
    explorer.complaints.filter((line) => !/status of 40[04]/.test(line)),
    [],
  );
});
