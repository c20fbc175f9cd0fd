import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GraphEdge, GraphNode } from "../../model/graph.js";
import {
  conjuncts,
  formatGraphQuery,
  type GraphQuery,
  GraphQueryError,
  parseGraphQuery,
  QUERY_FACETS,
} from "../../model/graph-query.js";
import { completeGraphQuery } from "../../model/graph-query-complete.js";
import { compileGraphQuery, type EdgeSubject } from "../../model/graph-query-match.js";

function node(id: string, namespace: string | undefined, labels: Record<string, string> = {}): GraphNode {
  const label = id.slice(id.lastIndexOf("/") + 1);
  const kind = id.startsWith("group:") ? "group" : "workload";
  const where = namespace === undefined ? {} : { namespace };
  return { id, kind, label, labels, members: [id], memberCount: 1, ...where };
}

const web = node("workload:shop/web-1", "shop", { app: "web", tier: "front" });
const db = node("workload:data/db-1", "data", { app: "postgres", "app.kubernetes.io/part-of": "core" });
const external = node("group:external", undefined);

function subject(client: GraphNode, server: GraphNode, extra: Partial<GraphEdge> = {}): EdgeSubject {
  const edge: GraphEdge = {
    id: `${client.id}>${server.id}/tcp/5432`,
    client: client.id,
    server: server.id,
    protocol: "tcp",
    port: 5432,
    flows: { answered: 40, refused: 2, unanswered: 1, midstream: 0 },
    clientPackets: 100,
    serverPackets: 90,
    clientBytes: 12_000,
    serverBytes: 88_000,
    firstSeenUs: Date.parse("2026-03-01T00:00:00Z") * 1000,
    lastSeenUs: Date.parse("2026-03-02T00:00:00Z") * 1000,
    windows: 7,
    observers: ["node-a"],
    names: ["db.example.com"],
    state: "allowed",
    reason: "",
    rules: ["web-to-db"],
    ...extra,
  };
  return { edge, client, server };
}

const webToDb = subject(web, db);
const scan = subject(external, web, { port: 22, state: "excluded", rules: [], names: [] });

const MATCHES: readonly (readonly [query: string, webToDb: boolean, scan: boolean])[] = [
  ["", true, true],
  ["ns=shop", true, true],
  ["src.ns=shop", true, false],
  ["dst.ns=data,other", true, false],
  ["ns!=shop", false, false],
  ["src=web-1", true, false],
  ["src=shop/web-1", true, false],
  ['dst="workload:data/db-1"', true, false],
  ["!dst=db-1", false, true],
  ["not dst=db-1", false, true],
  ["node=external", false, true],
  ["app=postgres", true, false],
  ["app~post", true, false],
  ["dst.app!~post", false, true],
  ["label.tier=front", true, true],
  ["src.label.tier=front", true, false],
  ["label.app.kubernetes.io/part-of=core", true, false],
  ["kind=group", false, true],
  ["state=excluded", false, true],
  ["state=would-deny", false, true],
  ["port=22,5432", true, true],
  ["port=5000-5999", true, false],
  ["port!=22", true, false],
  ["port>22", true, false],
  ["port<=22", false, true],
  ["proto=tcp", true, true],
  ["proto=TCP", true, true],
  ["bytes>99k", true, true],
  ["bytes>=0.1M", true, true],
  ["bytes>0.1M", false, false],
  ["flows=43", true, true],
  ["failed=3 windows=7 packets=190", true, true],
  ["first<2026-03-01T12:00:00Z last>2026-03-01T12:00:00Z", true, true],
  ["last>2026-03-02T12:00:00Z", false, false],
  ["name~example", true, false],
  ["rule=web-to-db", true, false],
  ["observer=node-a", true, true],
  ["example.com", true, false],
  ["tcp/22", false, true],
  ["ns=data or port=22", true, true],
  ["ns=data port=22", false, false],
  ["(ns=data or port=22) state=allowed", true, false],
  ["ns=data and not port=22", true, false],
  ["!(ns=data or port=22)", false, false],
];

for (const [query, wantedDb, wantedScan] of MATCHES) {
  test(`the query "${query}" selects what it says`, () => {
    const matches = compileGraphQuery(parseGraphQuery(query));
    assert.deepEqual([matches(webToDb), matches(scan)], [wantedDb, wantedScan]);
  });
}

const ERRORS: readonly (readonly [query: string, token: string, complaint: RegExp])[] = [
  ["ns=shop prt=443", "prt", /wanted one of ns, src/],
  ["port=abc", "abc", /wanted a number/],
  ["port>80-90", "80-90", /wanted a number/],
  ["ns>shop", ">", /is text/],
  ["port~44", "~", /is no text/],
  ["ns=", "", /wanted a value/],
  ["ns=shop,", "", /wanted a value/],
  ["(ns=shop", "(", /closing parenthesis/],
  ["ns=shop)", ")", /no closing parenthesis/],
  ['name="db', '"', /closing quotation/],
  ["ns=shop or", "", /wanted a condition/],
  ["or ns=shop", "or ", /wanted a condition before/],
  ["!", "", /wanted a condition/],
  ["last>yesterday", "yesterday", /wanted a time/],
];

for (const [query, token, complaint] of ERRORS) {
  test(`the query "${query}" is refused at "${token}"`, () => {
    assert.throws(
      () => parseGraphQuery(query),
      (error) => {
        assert.ok(error instanceof GraphQueryError);
        assert.match(error.message, complaint);
        assert.equal(query.slice(error.span.start, error.span.end), token);
        return true;
      },
    );
  });
}

test("hostile nesting and length are refused and do not exhaust the stack", () => {
  assert.throws(() => parseGraphQuery("(".repeat(3000)), GraphQueryError);
  assert.throws(() => parseGraphQuery("!".repeat(3000)), GraphQueryError);
  assert.throws(() => parseGraphQuery("a ".repeat(3000)), GraphQueryError);
});

const value = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
const span = { start: 0, end: 0 };
const textFacets = Object.keys(QUERY_FACETS).filter((facet) => QUERY_FACETS[facet]?.kind === "text");
const numberFacets = Object.keys(QUERY_FACETS).filter((facet) => QUERY_FACETS[facet]?.kind === "number");
const terms: fc.Arbitrary<GraphQuery> = fc.oneof(
  fc.record({
    kind: fc.constant("term" as const),
    facet: fc.constantFrom(...textFacets, "label.tier", "src.label.app.kubernetes.io/name"),
    operator: fc.constantFrom("=", "!=", "~", "!~"),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
    span: fc.constant(span),
  }),
  fc.record({
    kind: fc.constant("term" as const),
    facet: fc.constantFrom(...numberFacets),
    operator: fc.constantFrom("=", "!=", ">", ">=", "<", "<="),
    values: fc.array(fc.nat().map(String), { minLength: 1, maxLength: 3 }),
    span: fc.constant(span),
  }),
  fc.record({ kind: fc.constant("text" as const), text: value, span: fc.constant(span) }),
);
const { query: queries } = fc.letrec<{ query: GraphQuery }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    terms,
    fc.record({ kind: fc.constant("not" as const), part: tie("query"), span: fc.constant(span) }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      parts: fc.array(tie("query"), { minLength: 2, maxLength: 3 }),
      span: fc.constant(span),
    }),
  ),
}));

/** The query without where it stood in the text. */
function bare(query: GraphQuery): unknown {
  if (query.kind === "and" || query.kind === "or") return { kind: query.kind, parts: query.parts.map(bare) };
  if (query.kind === "not") return { kind: query.kind, part: bare(query.part) };
  if (query.kind === "all") return query;
  const { span: _, ...rest } = query;
  return rest;
}

test("what formatGraphQuery() writes parses to an equal query", () => {
  fc.assert(
    fc.property(queries, (query) => {
      assert.deepEqual(bare(parseGraphQuery(formatGraphQuery(query))), bare(query));
    }),
  );
});

test("any text is either read, with spans inside it, or refused with a span inside it", () => {
  const spans = (query: GraphQuery): { start: number; end: number }[] =>
    query.kind === "all"
      ? []
      : query.kind === "and" || query.kind === "or"
        ? [query.span, ...query.parts.flatMap(spans)]
        : query.kind === "not"
          ? [query.span, ...spans(query.part)]
          : [query.span];
  const words = fc.constantFrom(
    "ns=",
    "port",
    "=",
    "!",
    "(",
    ")",
    "or",
    "and",
    "not",
    '"',
    ",",
    ">",
    "443",
    "web",
    " ",
    "~",
    "\\",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((parts) => parts.join("")),
      ),
      (text) => {
        try {
          const query = parseGraphQuery(text);
          for (const { start, end } of spans(query)) assert.ok(start >= 0 && start <= end && end <= text.length);
          compileGraphQuery(query)(webToDb);
        } catch (error) {
          assert.ok(error instanceof GraphQueryError, String(error));
          assert.ok(error.span.start >= 0 && error.span.end <= text.length);
        }
      },
    ),
  );
});

test("a query and its negation share out every edge", () => {
  fc.assert(
    fc.property(queries, fc.constantFrom(webToDb, scan), (query, one) => {
      const negated: GraphQuery = { kind: "not", part: query, span };
      assert.notEqual(compileGraphQuery(query)(one), compileGraphQuery(negated)(one));
    }),
  );
});

test("the parts that must all hold are told apart for chips", () => {
  const texts = conjuncts(parseGraphQuery("ns=shop (a or b) !port=22")).map(formatGraphQuery);
  assert.deepEqual(texts, ["ns=shop", "a or b", "!port=22"]);
});

const vocabulary = (facet: string) =>
  ({
    ns: [
      { value: "shop", edges: 3 },
      { value: "data", edges: 9 },
    ],
    name: [{ value: 'a "b', edges: 1 }],
    "label.": [{ value: "tier", edges: 0 }],
  })[facet] ?? [];

const COMPLETIONS: readonly (readonly [text: string, from: number, options: readonly string[]])[] = [
  ["ns=", 3, ["data", "shop"]],
  ["ns=s", 3, ["shop"]],
  ["ns=shop,d", 8, ["data"]],
  ["port=443 !ns=sh", 13, ["shop"]],
  ["port=443 !win", 10, ["windows="]],
  ["name=a", 5, ['"a \\"b"']],
  ["label.t", 0, ["label.tier="]],
  ["zzz", 0, []],
];

for (const [text, from, options] of COMPLETIONS) {
  test(`completing "${text}" offers ${options.length === 0 ? "nothing" : options.join(" and ")}`, () => {
    const completions = completeGraphQuery(text, text.length, vocabulary);
    assert.equal(completions.from, from);
    assert.deepEqual(
      completions.options.map((option) => option.text),
      options,
    );
  });
}
