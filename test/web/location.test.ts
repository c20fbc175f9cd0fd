import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseGraphQuery } from "../../model/graph-query.js";
import { formatPlace, type Place, parsePlace, SPANS, START } from "../../web/ui/src/state/place.js";
import { edgeEnds, formatLink, islandCondition, linkQuery, parseSelected } from "../../web/ui/src/state/selection.js";

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const names = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });
const tenth = fc.integer({ min: -90_000, max: 90_000 }).map((value) => value / 10);
const places: fc.Arbitrary<Place> = fc.record(
  {
    page: fc.constantFrom("explore" as const, "proposals" as const, "enforcement" as const, "sensors" as const),
    view: fc.constantFrom("map" as const, "table" as const, "matrix" as const),
    level: fc.constantFrom("workload" as const, "app" as const, "namespace" as const),
    group: text,
    q: text,
    from: fc.option(fc.nat(), { nil: undefined }),
    until: fc.option(fc.nat(), { nil: undefined }),
    open: fc.oneof(fc.constant("all" as const), fc.constant([]), names),
    closed: fc.oneof(fc.constant([]), names),
    hubs: fc.constantFrom("badges" as const, "links" as const),
    sort: text,
    sel: text,
    at: fc.option(
      fc.record(
        { x: tenth, y: tenth, k: fc.integer({ min: 1, max: 90_000 }).map((k) => k / 10_000) },
        { noNullPrototype: true },
      ),
      {
        nil: undefined,
      },
    ),
    tab: text,
    item: text,
    span: fc.constantFrom(...SPANS),
  },
  { noNullPrototype: true },
);

test("an address carries the whole place there and back", () => {
  fc.assert(
    fc.property(places, (place) => {
      const url = new URL(formatPlace(place), "http://localhost");
      assert.deepEqual(parsePlace(url.pathname, url.search), place);
    }),
  );
});

test("any address opens somewhere, and the empty one at the start", () => {
  assert.deepEqual(parsePlace("/", ""), START);
  fc.assert(
    fc.property(fc.string(), fc.string(), (path, search) => {
      parsePlace(path, `?${search}`);
    }),
  );
  const odd = parsePlace("/explore", "?view=globe&at=1,2&from=yesterday&open=%25&level=planet&sel=link:%25");
  assert.deepEqual({ ...odd, sel: "" }, START);
  assert.deepEqual(parseSelected("link:%"), { kind: "none" });
});

test("a link between marks is selected by both ids, whatever they hold", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.string({ unit: "grapheme", minLength: 1 }),
      (client, server) => {
        assert.deepEqual(parseSelected(formatLink(client, server)), { kind: "link", client, server });
      },
    ),
  );
});

test("the ends of an edge are read from its id", () => {
  const id = "workload:shop/web-1>group:external/tcp/443";
  assert.deepEqual(edgeEnds(id), { client: "workload:shop/web-1", server: "group:external" });
  assert.equal(edgeEnds("no edge"), undefined);
});

test("the condition of an island can be read by the query language, whatever its name", () => {
  const island = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("outside", "no namespace", "no tier", "all"),
  );
  const grouping = fc.constantFrom("namespace", "kind", "none", "label:tier");
  fc.assert(
    fc.property(island, grouping, (name, group) => {
      parseGraphQuery(islandCondition(name, group, "src"));
      parseGraphQuery(linkQuery("ns=shop or port=1", `island:${name}`, `workload:${name}`, group));
    }),
  );
});
