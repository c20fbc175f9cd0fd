import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { EdgesAnswer, MapAnswer } from "../../web/api/contract.js";
import { buildScene } from "../../web/ui/src/map/scene.js";
import { axeFindings, type Explorer, PATIENT_MS, serveExplorer } from "./browser.js";
import { type CompanySource, companySource } from "./company.js";

let explorer: Explorer;
let source: CompanySource;

before(async () => {
  source = companySource();
  explorer = await serveExplorer(source);
});
after(async () => {
  await explorer.close();
});

async function drawn(page: Page): Promise<void> {
  await page.waitForSelector(".chart[data-layout]");
  // Two frames: one that asks for the painting, one that has it.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** Waits until an expression holds in the page; asked from outside, because the page's policy forbids eval. */
async function until(page: Page, expression: string): Promise<void> {
  for (const end = Date.now() + PATIENT_MS; !(await page.evaluate(`Boolean(${expression})`)); ) {
    assert.ok(Date.now() < end, `Waited in vain for ${expression}`);
    await page.waitForTimeout(50);
  }
}

/** Waits until an element shows all of these texts, whatever the space between words. */
async function shows(page: Page, selector: string, wanted: readonly string[]): Promise<void> {
  for (const end = Date.now() + PATIENT_MS; ; await page.waitForTimeout(100)) {
    const shown = String(await page.evaluate(`document.querySelector("${selector}")?.innerText`)).replace(/\s+/g, " ");
    const missing = wanted.filter((text) => !shown.includes(text));
    if (missing.length === 0) return;
    assert.ok(Date.now() < end, `${missing.join(" and ")} in ${shown.slice(0, 3000)}`);
  }
}

/** The two keys are one where little more than a second is between them; a machine that is slower strikes them again. */
async function chord(page: Page, second: string, leadsTo: string): Promise<void> {
  for (const end = Date.now() + PATIENT_MS; ; ) {
    await page.keyboard.press("g");
    await page.keyboard.press(second);
    if (await page.waitForSelector(leadsTo, { timeout: 10_000 }).then(Boolean, () => false)) return;
    assert.ok(Date.now() < end, `g ${second} leads to no ${leadsTo}`);
  }
}

async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(new URL(path, explorer.server.url))).json()) as T;
}

/** How many colours the chart's canvas shows: a blank one shows one. */
const coloursOf = (page: Page): Promise<number> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector(".chart canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4 * 7) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  })()`);

test("the map draws, and says the same figures as the API", async () => {
  const page = await explorer.open("/explore");
  await drawn(page);
  const map = await ask<MapAnswer>("/api/map");
  while ((await coloursOf(page)) <= 50) await page.waitForTimeout(100); // it is painted some time after it is laid out
  assert.equal(await page.getAttribute(".chart", "data-layout"), map.layoutHash);
  assert.equal(Number(await page.getAttribute(".chart", "data-marks")), map.marks.length);
  assert.equal(await page.textContent(".legend h2"), `${map.total.edges} edges`);
});

test("an edge picked on the map, in the table and in the matrix shows its evidence", async () => {
  const query = "q=port%3D8443+dst%3Dexternal";
  const { edges } = await ask<EdgesAnswer>(`/api/edges?${query}`);
  const id = edges[0]?.id ?? "";
  // The camera is put where the line bends, so that it runs through the middle of the map.
  const [course] = buildScene(await ask<MapAnswer>(`/api/map?${query}`)).courses;
  const page = await explorer.open(`/explore?${query}&at=${course?.middle.x},${course?.middle.y},1`);
  await drawn(page);
  const box = await page.locator(".chart canvas").boundingBox();
  await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  await page.waitForSelector(`.detail[data-edge="${id}"]`);
  const text = (await page.textContent(".detail")) ?? "";
  for (const wanted of ["No flow showed who opened it", "First seen", "Sample flows", "10.0.1.14:41022", "node-a"]) {
    assert.ok(text.includes(wanted), wanted);
  }

  await page.goto(new URL("/explore?view=table&q=port%3D8443+dst%3Dexternal", explorer.server.url).href);
  await page.click(".rows .row");
  await page.waitForSelector(`.detail[data-edge="${id}"]`);

  await page.goto(new URL("/explore?view=matrix&q=port%3D8443+dst%3Dexternal", explorer.server.url).href);
  await page.focus(".matrix canvas");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`.detail[data-edge="${id}"]`);
});

test("query, view, selection, window and place survive a reload and open elsewhere by the address alone", async () => {
  const page = await explorer.open("/explore");
  await drawn(page);
  await page.click("#query");
  await page.keyboard.type("ns=payments state=allowed");
  await page.keyboard.press("Enter");
  await until(page, "document.querySelector('.legend h2')?.textContent !== '204 edges'");
  await page.click(".tree-item:has-text('checkout-1')");
  await page.waitForSelector('.detail[data-node="workload:payments/checkout-1"]');
  await page.focus(".chart canvas");
  await page.keyboard.press("+");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("[");
  await page.waitForSelector(".timeline-text button");
  await until(page, "location.search.includes('at=') && location.search.includes('from=')");
  const address = page.url();
  const state = async (from: Page) => ({
    url: from.url(),
    query: await from.inputValue("#query"),
    node: await from.getAttribute(".detail", "data-node"),
    layout: await from.getAttribute(".chart", "data-layout"),
    window: await from.textContent(".timeline-text"),
    edges: await from.textContent(".edge-list"),
    // Of the canvas alone: the rounded corners of what lies over it are not drawn the same each time.
    picture: createHash("sha256")
      .update(String(await from.evaluate("document.querySelector('.chart canvas').toDataURL()")))
      .digest("hex"),
  });
  const settled = async (from: Page) => {
    await drawn(from);
    await from.waitForSelector(".edge-list");
    await from.mouse.move(5, 5);
    await from.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())");
    await drawn(from);
  };
  /** The map is painted anew some time after a gesture: what is asked for, or else the last that was seen, for the message. */
  const seen = async (from: Page, isWanted: (shown: Awaited<ReturnType<typeof state>>) => boolean) => {
    await settled(from);
    for (const end = Date.now() + PATIENT_MS; ; await from.waitForTimeout(250)) {
      const shown = await state(from);
      if (isWanted(shown) || Date.now() > end) return shown;
    }
  };
  let last = "";
  let still = 0;
  const before = await seen(page, ({ picture }) => {
    still = picture === last ? still + 1 : 0;
    last = picture;
    return still === 6;
  });
  await page.reload();
  assert.deepEqual(await seen(page, ({ picture }) => picture === before.picture), before);
  const elsewhere = await explorer.open(address.slice(explorer.server.url.length - 1));
  assert.deepEqual(await seen(elsewhere, ({ picture }) => picture === before.picture), before);
});

test("a proposal is read rule by rule with the keyboard, and its files are downloaded", async () => {
  const page = await explorer.open("/proposals");
  await page.focus(".rule-list");
  const first = await page.getAttribute(".rule-card", "data-rule");
  await page.keyboard.press("j");
  await until(page, `document.querySelector(".rule-card").dataset.rule !== ${JSON.stringify(first)}`);
  const text = (await page.textContent(".rule-card")) ?? "";
  for (const wanted of ["may open", "confidence", "Wider than seen", "Evidence", "Sample flows", "Edges it permits"]) {
    assert.ok(text.includes(wanted), wanted);
  }
  await page.click("role=tab[name=/Excluded/]");
  assert.match((await page.textContent(".exclusions")) ?? "", /One source tried 214 addresses/);
  await page.click("role=tab[name=/Coverage/]");
  assert.match((await page.textContent(".columns")) ?? "", /loss unknown/);
  await page.click("role=tab[name=Files]");
  await page.waitForSelector(".code");
  assert.match((await page.textContent(".code")) ?? "", /kind: NetworkPolicy/);
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(".file-bar a")]);
  assert.equal(file.suggestedFilename(), "cart.yaml");
  assert.match(await readFile(await file.path(), "utf8"), /name: cart/);
  const [archive] = await Promise.all([page.waitForEvent("download"), page.click(".bundle-bar a")]);
  assert.equal((await readFile(await archive.path())).subarray(257, 262).toString(), "ustar");
  await page.click("role=button[name=nftables]");
  await until(page, "document.querySelector('.code')?.textContent.includes('table inet portolan')");
});

const PLACES = [
  "/explore",
  "/explore?sel=edge%3Aworkload%3Aoffice%2Flaptop-1%3Eworkload%3Apayments%2Fledger-1%2Ftcp%2F22",
  "/explore?sel=node%3Aworkload%3Apayments%2Fcheckout-1&q=ns%3Dpayments+state%3Dallowed",
  "/explore?view=table",
  "/explore?view=matrix",
  "/explore?q=nothing-like-this",
  "/explore?view=table&q=prt%3D4",
  "/explore?sel=edge%3Anone",
  "/proposals",
  "/proposals?tab=excluded",
  "/proposals?tab=coverage",
  "/proposals?tab=files",
  "/enforcement",
  "/enforcement?item=warehouse",
  "/enforcement?span=hour",
  "/sensors",
];

test("the sensors page says in words who is silent, who captures nothing, and what nobody knows", async () => {
  const page = await explorer.open("/sensors");
  await page.waitForSelector(".sensors tbody tr");
  assert.equal((await page.textContent(".sensors-summary"))?.trim(), "▲ 3 of 7 sensors are in trouble.");
  const cells = async (id: string) => page.locator(`.sensors tr:has(th:has-text("${id}")) td`).allTextContents();
  assert.deepEqual((await cells("node-d")).slice(0, 3), [
    "▲ silent for 6 min",
    "any by cap, 88,410 packets",
    "▲ unknown",
  ]);
  assert.equal((await cells("node-e"))[0], "▲ captures nothing on wg0");
  assert.deepEqual((await cells("node-b")).slice(0, 5), [
    "sends no heartbeat",
    "unknown",
    "▲ unknown",
    "unknown",
    "unknown",
  ]);
  assert.equal((await cells("node-f"))[0], "ended, as it was told to");
  assert.match((await page.textContent(".gaps")) ?? "", /The sensor restarted and cannot tell/);
});

test("the enforcement page tells what deny would break, who answers for it, and what is not known", async () => {
  const page = await explorer.open("/enforcement");
  await page.waitForSelector(".scope .plain-table tbody tr");
  await shows(page, ".enforcement", [
    "Policy shop, generation 7",
    "120 new edges with 40,860 attempts, 1 known, 1 accepted.",
    "The first 100 of 121 are listed, new ones first: the downloads have them all.",
    "Denying, with open questions every host reports: 2 of 3.",
    "attempts that deny would have dropped 40,869 attempts that were denied 12",
    "icmp type 8 code 0",
    "Share of cells that are closed 0.0 % 90.7 %",
    "2 of 3 isolated hosts reported. 1 host in deny mode since 2026-03-02 23:40:00, 1 host in audit mode since 2026-03-02 14:00:00.",
    "▲ Silent: shop/search-0",
    "office/laptop-0 (10.0.9.0)",
    "e.g. 2026-03-03 00:00:00 from port 41022 on eth0",
    "author Ada Lovelace at 2026-03-02T10:00:00Z; approver Grace Hopper",
    "✗ refused: the signature of key k9 does not hold",
    "relay-to-external-tcp-587",
    "Rests on entries 13 to 742 of the audit trail.",
    "the capture cannot tell",
  ]);
  await page.click("role=link[name='warehouse']");
  await until(page, "location.search === '?item=warehouse'");
  await shows(page, ".enforcement", [
    "Policy warehouse, generation 7 Which hosts the policy isolates is not known here",
    "Denying, and nothing open",
    "No policy of this name was published.",
  ]);
  await page.click("role=button[name='Last week']");
  await until(page, "location.search === '?item=warehouse&span=week'");
  assert.equal(await page.getAttribute("[aria-pressed=true]", "class"), "button");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("text=Edges as CSV")]);
  assert.equal(file.suggestedFilename(), "portolan-report.csv");
  assert.equal((await readFile(await file.path(), "utf8")).trim().split("\r\n").length, 123);
});

test("the enforcement page is reached and read by keys alone", async () => {
  const page = await explorer.open("/explore");
  await drawn(page);
  await chord(page, "n", ".scope .plain-table tbody tr");
  const reached = new Set<string>();
  for (let presses = 0; presses < 24; presses++) {
    await page.keyboard.press("Tab");
    const name = "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent";
    reached.add(String(await page.evaluate(name)).trim());
  }
  for (const wanted of ["Last hour", "Report to print", "warehouse", "What shop would have dropped", "Hosts of shop"]) {
    assert.ok(reached.has(wanted), `${wanted} in ${[...reached].join(" | ")}`);
  }
  await page.focus("role=button[name='Last hour']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=No policy is being enforced here");
  assert.match(
    (await page.textContent(".notice")) ?? "",
    /Approve and sign a proposal, run portolan enforce on the hosts/,
  );
});

for (const scheme of ["light", "dark"] as const) {
  test(`axe finds nothing on any page in the ${scheme} theme`, async () => {
    const page = await explorer.open("/explore", scheme);
    for (const path of PLACES) {
      await page.goto(new URL(path, explorer.server.url).href);
      await page.waitForLoadState("networkidle", { timeout: 30_000 }).catch(() => undefined); // the event stream never rests
      await page.waitForTimeout(400);
      assert.deepEqual(await axeFindings(page), [], path);
    }
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    assert.deepEqual(await axeFindings(page), [], "help");
  });
}

test("keys lead everywhere, and Escape gives the focus back", async () => {
  const page = await explorer.open("/explore");
  await drawn(page);
  await page.keyboard.press("/");
  await until(page, "document.activeElement.id === 'query'");
  await page.keyboard.type("state=qu");
  // Until its answer comes, what was offered for the letters before is there to be taken.
  await until(page, "document.querySelector('#query-options [role=option]')?.textContent.includes('quarantined')");
  await page.keyboard.press("Tab");
  await until(page, "document.querySelector('#query').value.trim() === 'state=quarantined'");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await chord(page, "t", ".table-scroll .rows .row");
  await page.focus(".table-scroll");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".detail[data-edge]");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".legend");
  await until(page, "document.activeElement.className === 'table-scroll'");
  await chord(page, "x", ".matrix canvas");
  await chord(page, "p", ".rule-list");
  await page.focus(".brand");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await until(page, "document.activeElement.className === 'brand'");
});

test("new data waits until it is asked for, and then moves nothing", async () => {
  const page = await explorer.open("/explore");
  await drawn(page);
  await page.waitForSelector(".connection.open");
  const places = async () => {
    const { marks } = await ask<MapAnswer>("/api/map");
    return marks.map(({ id, x, y }) => [id, x, y]);
  };
  const before = await places();
  const heading = await page.textContent(".legend h2");
  source.announce();
  await page.waitForSelector(".news");
  assert.equal(await page.textContent(".legend h2"), heading);
  await page.click(".news");
  await until(page, `document.querySelector(".legend h2").textContent !== ${JSON.stringify(heading)}`);
  assert.deepEqual(await places(), before);
});

test("no page complained, broke its content security policy or left its origin", () => {
  // The addresses that were asked for on purpose and do not exist answer with 400 or 404, which browsers log.
  const wanted = explorer.complaints.filter((line) => !/status of 40[04]/.test(line));
  assert.deepEqual(wanted, []);
});
