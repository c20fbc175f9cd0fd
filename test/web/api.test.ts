import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { createApi } from "../../web/api/app.js";
import type {
  BundleAnswer,
  EdgesAnswer,
  MapAnswer,
  MatrixAnswer,
  Problem,
  SensorsAnswer,
  StateCounts,
} from "../../web/api/contract.js";
import { MARK_LIMIT } from "../../web/api/contract.js";
import { companyBundles, companySource } from "./company.js";
import { largeSource } from "./large-graph.js";

const options = { bundles: companyBundles, targets: ["kubernetes", "nftables"], uiDir: "nowhere", version: "0.0.0" };
const source = companySource();
let app: FastifyInstance;
let large: FastifyInstance;

before(async () => {
  app = await createApi({ ...options, source });
  large = await createApi({ ...options, source: largeSource(2000, 10_000) });
});
after(async () => {
  await app.close();
  await large.close();
});

async function ask<T>(url: string, from = app): Promise<T> {
  const reply = await from.inject({ url, headers: { host: "localhost" } });
  assert.equal(reply.statusCode, 200, `${url}: ${reply.body}`);
  return reply.json<T>();
}

async function refusal(url: string, headers: Record<string, string> = { host: "localhost" }): Promise<Problem> {
  const reply = await app.inject({ url, headers });
  assert.ok(reply.statusCode >= 400, url);
  assert.match(String(reply.headers["content-type"]), /^application\/problem\+json/);
  const problem = reply.json<Problem>();
  assert.equal(problem.status, reply.statusCode);
  return problem;
}

const sum = (counts: StateCounts) => counts.allowed + counts.quarantined + counts.undecided + counts.excluded;

const QUERIES = [
  "",
  "ns=payments",
  "port=443,5432 !dst=postgres-1",
  "state=would-deny",
  "(src~a or dst~b) flows>100",
  "nothing-like-this",
];

for (const q of QUERIES) {
  test(`map, table and matrix of the query "${q}" give equal counts per state`, async () => {
    for (const level of ["workload", "app", "namespace"]) {
      const params = `level=${level}&q=${encodeURIComponent(q)}`;
      const map = await ask<MapAnswer>(`/api/map?${params}`);
      const table = await ask<EdgesAnswer>(`/api/edges?${params}`);
      const matrix = await ask<MatrixAnswer>(`/api/matrix?${params}`);
      assert.deepEqual(map.counts, table.counts);
      assert.deepEqual(map.counts, matrix.counts);
      assert.equal(table.total, sum(table.counts));
      assert.equal(map.shown.edges + map.hidden.edges, table.total);
      assert.equal(map.shown.nodes + map.hidden.nodes, map.total.nodes);
      assert.equal(
        matrix.cells.reduce((edges, cell) => edges + cell.edges, 0),
        table.total,
      );
    }
  });
}

test("a large graph is gathered into at most 150 marks, and hidden says how much is not drawn", async () => {
  const everything = await ask<MapAnswer>("/api/map", large);
  assert.ok(everything.marks.length <= MARK_LIMIT, String(everything.marks.length));
  assert.equal(everything.total.nodes, everything.shown.nodes + everything.hidden.nodes);
  assert.ok(everything.hidden.nodes > 1500);
  const islands = everything.islands.map(({ id }) => id);
  for (const open of [islands.slice(0, 1), islands.slice(0, 5), islands]) {
    const map = await ask<MapAnswer>(`/api/map?open=${open.map(encodeURIComponent).join(",")}`, large);
    assert.ok(map.marks.length <= MARK_LIMIT, `${open.length} open: ${map.marks.length}`);
    assert.equal(
      map.marks.reduce((nodes, mark) => nodes + mark.nodes, 0),
      map.total.nodes,
    );
    assert.equal(map.shown.edges + map.hidden.edges, sum(map.counts));
  }
  const narrow = await ask<MapAnswer>("/api/map?q=state%3Dquarantined+port%3D8001", large);
  assert.ok(narrow.marks.length <= MARK_LIMIT);
});

test("everything is drawn when everything is asked for", async () => {
  const map = await ask<MapAnswer>("/api/map?open=*", large);
  assert.equal(map.shown.nodes, map.total.nodes);
  assert.equal(map.hidden.edges, 0);
});

test("servers that most islands call are badges at their callers and keep their edges in the count", async () => {
  const map = await ask<MapAnswer>("/api/map");
  assert.deepEqual(
    map.hubs.map(({ label }) => label),
    ["coredns-1", "coredns-2"],
  );
  for (const link of map.links)
    assert.equal(
      link.hub !== undefined,
      /coredns/.test(link.server) && !/coredns/.test(link.client) && link.services.includes("udp/53"),
      link.id,
    );
  const plain = await ask<MapAnswer>("/api/map?hubs=links");
  assert.equal(plain.hubs.length, 0);
  assert.equal(plain.shown.edges, map.shown.edges);
});

test("opening and closing an island moves nothing", async () => {
  const open = await ask<MapAnswer>("/api/map");
  const closed = await ask<MapAnswer>("/api/map?closed=shop");
  assert.equal(closed.layoutHash, open.layoutHash);
  assert.ok(closed.marks.some(({ id, nodes }) => id === "island:shop" && nodes === 9));
  const places = new Map(open.marks.map((mark) => [mark.id, mark]));
  for (const mark of closed.marks.filter(({ kind }) => kind === "workload")) {
    assert.deepEqual([mark.x, mark.y], [places.get(mark.id)?.x, places.get(mark.id)?.y]);
  }
});

test("a query keeps what it does not touch as context, in its place", async () => {
  const all = await ask<MapAnswer>("/api/map");
  const some = await ask<MapAnswer>("/api/map?q=ns%3Dpayments");
  assert.equal(some.layoutHash, all.layoutHash);
  assert.equal(some.marks.length, all.marks.length);
  assert.ok(some.marks.some(({ isMatch }) => isMatch) && some.marks.some(({ isMatch }) => !isMatch));
});

test("the table is sorted, paged and complete", async () => {
  const first = await ask<EdgesAnswer>("/api/edges?sort=bytes&limit=40");
  const second = await ask<EdgesAnswer>("/api/edges?sort=bytes&limit=40&offset=40");
  const bytes = [...first.edges, ...second.edges].map((edge) => edge.clientBytes + edge.serverBytes);
  assert.deepEqual(
    bytes,
    [...bytes].sort((a, b) => b - a),
  );
  assert.equal(new Set([...first.edges, ...second.edges].map(({ id }) => id)).size, 80);
});

test("CSV holds every row of the query and no formula", async () => {
  const reply = await app.inject({ url: "/api/edges?format=csv&q=port%3D443", headers: { host: "localhost" } });
  assert.match(String(reply.headers["content-type"]), /text\/csv/);
  const { total } = await ask<EdgesAnswer>("/api/edges?q=port%3D443");
  const lines = reply.body.trimEnd().split("\r\n");
  assert.equal(lines.length, total + 1);
  assert.match(lines[0] ?? "", /^state,client,server/);
});

test("an edge answers with its samples, windows and both ends", async () => {
  const { edges } = await ask<EdgesAnswer>("/api/edges?limit=1");
  const id = edges[0]?.id ?? "";
  const detail = await ask<{ edge: { id: string }; samples: unknown[]; windows: unknown[]; client: { id: string } }>(
    `/api/edges/${encodeURIComponent(id)}`,
  );
  assert.equal(detail.edge.id, id);
  assert.equal(detail.client.id, edges[0]?.client);
  assert.ok(detail.samples.length > 0 && detail.windows.length > 0);
});

test("what does not exist is told in one sentence", async () => {
  assert.match((await refusal("/api/edges/none")).detail, /^Cannot find edge "none"/);
  assert.match((await refusal("/api/proposal/rules/none")).detail, /^Cannot find rule "none"/);
  assert.match((await refusal("/api/bundles/vines")).detail, /wanted kubernetes or nftables/);
  assert.match((await refusal("/api/bundles/kubernetes?file=..%2Fsecret")).detail, /wanted one of its files/);
  assert.match((await refusal("/api/nothing")).detail, /^Cannot find "\/api\/nothing"/);
});

test("a query that cannot be read points at the token", async () => {
  const problem = await refusal(`/api/map?q=${encodeURIComponent("ns=shop prt=443")}`);
  assert.equal(problem.status, 400);
  assert.deepEqual(problem.span, { start: 8, end: 11 });
});

test("parameters out of range are refused by name", async () => {
  assert.match((await refusal("/api/edges?limit=100000")).detail, /limit/);
  assert.match((await refusal("/api/map?level=galaxy")).detail, /level/);
});

test("an answer carries a tag of its revision, and is not sent twice", async () => {
  const fresh = await app.inject({ url: "/api/map", headers: { host: "localhost" } });
  const etag = String(fresh.headers.etag);
  const again = await app.inject({ url: "/api/map", headers: { host: "localhost", "if-none-match": etag } });
  assert.equal(again.statusCode, 304);
  assert.equal(again.body, "");
  source.announce();
  const changed = await app.inject({ url: "/api/map", headers: { host: "localhost", "if-none-match": etag } });
  assert.equal(changed.statusCode, 200);
});

test("newcomers move nothing that was there", async () => {
  const before = await ask<MapAnswer>("/api/map");
  source.announce();
  const after = await ask<MapAnswer>("/api/map");
  assert.ok(after.revision > before.revision);
  assert.deepEqual(
    after.marks.map(({ id, x, y }) => [id, x, y]),
    before.marks.map(({ id, x, y }) => [id, x, y]),
  );
});

test("strange hosts and other sites' pages are refused", async () => {
  assert.equal((await refusal("/api/map", { host: "attacker.example" })).status, 403);
  assert.equal((await refusal("/api/map", { host: "localhost", origin: "https://attacker.example" })).status, 403);
  assert.equal((await refusal("/api/map", { host: "localhost", "sec-fetch-site": "cross-site" })).status, 403);
  for (const host of ["127.0.0.1:8080", "[::1]:8080", "localhost:1", "192.0.2.7"]) {
    assert.equal((await app.inject({ url: "/healthz", headers: { host } })).statusCode, 200, host);
  }
});

test("every answer forbids foreign and inline code", async () => {
  for (const url of ["/", "/api/map", "/api/nothing", "/healthz"]) {
    const { headers } = await app.inject({ url, headers: { host: "localhost" } });
    assert.match(String(headers["content-security-policy"]), /default-src 'none'; script-src 'self'/);
    assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe/);
    assert.equal(headers["x-content-type-options"], "nosniff");
  }
});

test("the OpenAPI document names every question", async () => {
  const document = await ask<{ openapi: string; paths: Record<string, unknown> }>("/api/openapi.json");
  assert.match(document.openapi, /^3\./);
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/api/audit",
    "/api/audit/ocsf.jsonl",
    "/api/audit/report.csv",
    "/api/audit/report.html",
    "/api/audit/report.json",
    "/api/bundles/{target}",
    "/api/complete",
    "/api/edges",
    "/api/edges/{id}",
    "/api/events",
    "/api/layout",
    "/api/map",
    "/api/matrix",
    "/api/nodes/{id}",
    "/api/overview",
    "/api/proposal",
    "/api/proposal/rules/{id}",
    "/api/sensors",
    "/api/timeline",
  ]);
});

test("a bundle is read, taken file by file, and taken whole", async () => {
  const bundle = await ask<BundleAnswer>("/api/bundles/kubernetes");
  assert.deepEqual(
    bundle.files.map(({ path }) => path),
    ["shop/cart.yaml", "shop/catalog.yaml"],
  );
  assert.equal(bundle.losses.length, 1);
  const file = await app.inject({ url: "/api/bundles/kubernetes?file=shop/cart.yaml", headers: { host: "localhost" } });
  assert.equal(file.body, bundle.files[0]?.text);
  assert.match(String(file.headers["content-disposition"]), /filename="cart.yaml"/);
  const tar = await app.inject({ url: "/api/bundles/kubernetes?format=tar", headers: { host: "localhost" } });
  assert.equal(tar.rawPayload.length % 512, 0);
  assert.equal(tar.rawPayload.subarray(257, 262).toString(), "ustar");
});

test("the proposal, the sensors, the timeline and the overview answer in their schemas", async () => {
  const proposal = await ask<{ proposal: { policySet: { rules: { id: string }[] } } }>("/api/proposal");
  const id = proposal.proposal.policySet.rules[0]?.id ?? "";
  const rule = await ask<{ edgeCount: number; edges: { rules: string[] }[] }>(`/api/proposal/rules/${id}`);
  assert.ok(rule.edgeCount > 0 && rule.edges.every(({ rules }) => rules.includes(id)));
  const overview = await ask<{ sensors: { dropped: unknown }; labelKeys: string[] }>("/api/overview");
  assert.equal(overview.sensors.dropped, "unknown");
  assert.deepEqual(overview.labelKeys, ["app", "tier"]);
  assert.equal((await ask<{ slices: unknown[] }>("/api/timeline?slices=30")).slices.length, 30);
});

test("sensors answer anew each time, with those that only sent word of themselves, and their gaps", async () => {
  const url = "/api/sensors";
  const reply = await app.inject({ url, headers: { host: "localhost" } });
  assert.equal(reply.headers["cache-control"], "no-store");
  assert.equal(reply.headers.etag, undefined);
  const answer = reply.json<SensorsAnswer>();
  assert.deepEqual(
    answer.sensors.map(({ id, stored, heartbeat }) => [id, stored !== undefined, heartbeat !== undefined]),
    [
      ["node-a", true, true],
      ["node-b", true, false],
      ["node-c", false, true],
      ["node-d", false, true],
      ["node-e", false, true],
      ["node-f", false, true],
      ["shop-1", false, true],
    ],
  );
  assert.deepEqual([answer.sensorCount, answer.gapCount, answer.gaps.length], [7, 1, 1]);
});

test("completion offers what the data holds", async () => {
  const { options: states, from } = await ask<{ from: number; options: { text: string }[] }>(
    "/api/complete?q=state%3Dqu",
  );
  assert.equal(from, 6);
  assert.deepEqual(
    states.map(({ text }) => text),
    ["quarantined"],
  );
  const facets = await ask<{ options: { text: string }[] }>("/api/complete?q=po");
  assert.deepEqual(
    facets.options.map(({ text }) => text),
    ["port="],
  );
});
