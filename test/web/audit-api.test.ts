import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import type { ExplorerSource } from "../../analyzer/explorer.js";
import { createApi } from "../../web/api/app.js";
import type { AuditAnswer } from "../../web/api/contract.js";
import { companyBundles, companySource } from "./company.js";
import { namedAudit } from "./enforcement.js";

const SPAN = "from=1000000&until=2000000";

let app: FastifyInstance;
let audits = 0;

const serve = (source: ExplorerSource) =>
  createApi({ source, bundles: companyBundles, targets: [], uiDir: "/nowhere", version: "1.2.3" });

before(async () => {
  const source = companySource();
  app = await serve({
    ...source,
    audit(span) {
      audits++;
      return source.audit(span);
    },
  });
});
after(() => app.close());

const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers: { host: "localhost", ...headers } });

test("/api/audit bounds its lists, says how many there are, and counts over all of them", async () => {
  const answer = (await get(`/api/audit?${SPAN}`)).json<AuditAnswer>();
  assert.deepEqual([answer.fromUs, answer.untilUs, answer.scopeCount], [1_000_000, 2_000_000, 2]);
  const [shop, warehouse] = answer.scopes;
  // A hundred of each kind: what was denied is seen, however much would be.
  assert.deepEqual([shop?.edges.length, shop?.auditedEdgeCount, shop?.deniedEdgeCount], [101, 121, 1]);
  assert.deepEqual(shop?.edges.at(-1)?.protocol, "icmp");
  assert.deepEqual(shop?.tallies, {
    new: { edges: 120, audited: 40_860, denied: 0 },
    known: { edges: 1, audited: 0, denied: 12 },
    accepted: { edges: 1, audited: 9, denied: 0 },
  });
  assert.deepEqual([shop?.expectedHostCount, shop?.hostCount, shop?.silentHosts], [3, 2, ["shop/search-0"]]);
  assert.deepEqual(shop?.approvals[0]?.trust, { kind: "verified" });
  assert.deepEqual([warehouse?.edges, warehouse?.hosts.length, warehouse?.expectedHostCount], [[], 1, 0]);
  assert.equal(shop?.reach?.policy.cells, 233);
  assert.deepEqual([answer.gapCount, answer.chain.last], [1, 742]);
});

test("the downloads have everything, as attachments, and share one reading of the trail", async () => {
  const before = audits;
  const types: Record<string, string> = {};
  const bodies: Record<string, string> = {};
  for (const name of ["report.html", "report.csv", "report.json", "ocsf.jsonl"]) {
    const reply = await get(`/api/audit/${name}?from=3&until=4`);
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers["content-disposition"], `attachment; filename="portolan-${name}"`);
    types[name] = String(reply.headers["content-type"]);
    bodies[name] = reply.body;
  }
  assert.equal(audits - before, 1);
  assert.deepEqual(types, {
    "report.html": "text/html; charset=utf-8",
    "report.csv": "text/csv; charset=utf-8",
    "report.json": "application/json; charset=utf-8",
    "ocsf.jsonl": "application/x-ndjson",
  });
  assert.match(bodies["report.html"] ?? "", /^<!doctype html>/i);
  assert.equal(bodies["report.csv"]?.trim().split("\r\n").length, 123);
  assert.equal(JSON.parse(bodies["report.json"] ?? "").scopes[0].edges.length, 122);
  const events = (bodies["ocsf.jsonl"] ?? "")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(events.length, 122);
  assert.equal(events[0].metadata.product.version, "1.2.3");
});

test("an equal revision is answered by 304, and a span that cannot be is refused in one line", async () => {
  const { etag } = (await get(`/api/audit?${SPAN}`)).headers;
  assert.equal((await get(`/api/audit?${SPAN}`, { "if-none-match": String(etag) })).statusCode, 304);
  for (const query of ["", "?from=1", "?from=2&until=1", "?from=x&until=2", "?from=-1&until=2"]) {
    const reply = await get(`/api/audit${query}`);
    assert.equal(reply.statusCode, 400, query);
    assert.match(reply.json<{ detail: string }>().detail, /^Cannot [^\n]+$/);
  }
});

test("names that would run in a page are text in every download", async (t) => {
  const names = ["<script>window.harmed=1</script>", '"><img src=x onerror=harm()>', "=HYPERLINK(1)", "line\nfeed"];
  const hostile = await serve({ ...companySource(), audit: async (span) => ({ report: namedAudit(names, span) }) });
  t.after(() => hostile.close());
  const body = async (name: string) =>
    (await hostile.inject({ url: `/api/audit/${name}?${SPAN}`, headers: { host: "localhost" } })).body;
  assert.doesNotMatch(await body("report.html"), /<script|<img/i);
  for (const line of (await body("report.csv")).split("\r\n")) assert.doesNotMatch(line, /(?:^|,)"?[=+@]/);
  assert.equal((await body("ocsf.jsonl")).trim().split("\n").length, 2 * names.length);
});
