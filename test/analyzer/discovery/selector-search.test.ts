import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { selectorSearch } from "../../../analyzer/discovery/selector-search.js";
import { formatSelector, matchesLabels } from "../../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, namespaceLabels, type Workload } from "../../../model/workload.js";
import { workload } from "./small-network.js";

const inventoryOf = (workloads: readonly Workload[]): Inventory => ({ ...EMPTY_INVENTORY, workloads });

function exact(workloads: readonly Workload[], ids: readonly string[]): string | undefined {
  const selector = selectorSearch(inventoryOf(workloads)).exact(new Set(ids));
  return selector && `${formatSelector(selector.namespaces)} ${formatSelector(selector.labels)}`;
}

const web1 = workload("shop/web-1", { app: "web", tier: "front", "pod-template-hash": "a1" }, "10.0.0.1");
const web2 = workload("shop/web-2", { app: "web", tier: "front", "pod-template-hash": "a1" }, "10.0.0.2");
const canary = workload(
  "shop/web-3",
  { app: "web", tier: "front", track: "canary", "pod-template-hash": "b2" },
  "10.0.0.3",
);
const api = workload("shop/api-1", { app: "api", tier: "back" }, "10.0.0.4");
const other = workload("bank/web-1", { app: "web" }, "10.0.0.5");
const all = [other, api, web1, web2, canary];
const SHOP = "kubernetes.io/metadata.name=shop";

test("the smallest conjunction of stable labels that means exactly the workloads", () => {
  assert.equal(exact(all, ["shop/web-1", "shop/web-2", "shop/web-3"]), `${SHOP} app=web`);
  assert.equal(exact(all, ["shop/web-3"]), `${SHOP} track=canary`);
  assert.equal(exact(all, ["shop/web-1", "shop/web-2"]), `${SHOP} app=web,!track`);
  assert.equal(exact(all, ["bank/web-1"]), "kubernetes.io/metadata.name=bank app=web");
});

test("a label that changes with each rollout is never used, even if nothing else tells workloads apart", () => {
  const a = workload("shop/a", { "pod-template-hash": "1", version: "1", "controller-revision-hash": "x" }, "10.0.0.1");
  const b = workload("shop/b", { "pod-template-hash": "2", version: "2", "controller-revision-hash": "y" }, "10.0.0.2");
  assert.equal(exact([a, b], ["shop/a"]), undefined);
});

test("a label of one replica is the last resort", () => {
  const named = [1, 2].map((i) =>
    workload(`shop/db-${i}`, { app: "db", "statefulset.kubernetes.io/pod-name": `db-${i}` }, `10.0.0.${i}`),
  );
  assert.equal(exact(named, ["shop/db-2"]), `${SHOP} statefulset.kubernetes.io/pod-name=db-2`);
});

test("closest() names what it cannot keep out", () => {
  const { matched } = selectorSearch(inventoryOf(all)).closest(new Set(["shop/web-1"]));
  assert.deepEqual(matched, ["shop/web-1", "shop/web-2"]);
});

const labels = fc.dictionary(fc.constantFrom("app", "tier", "env", "track"), fc.constantFrom("a", "b", "c"), {
  maxKeys: 4,
});
const network = fc
  .array(fc.tuple(fc.constantFrom("n1", "n2"), labels, fc.boolean()), { minLength: 1, maxLength: 9 })
  .map((rows) => ({
    workloads: rows
      .map(([namespace, own], i) => workload(`${namespace}/w${i}`, own, `10.0.0.${i}`))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    ids: rows.flatMap(([namespace, , isWanted], i) => (isWanted ? [`${namespace}/w${i}`] : [])),
  }));

test("an exact selector means exactly the workloads asked for, and closest() means at least them", () => {
  fc.assert(
    fc.property(network, ({ workloads, ids }) => {
      fc.pre(ids.length > 0);
      const inventory = inventoryOf(workloads);
      const search = selectorSearch(inventory);
      const { selector, matched } = search.closest(new Set(ids));
      const meant = workloads
        .filter(
          (each) =>
            matchesLabels(selector.namespaces, namespaceLabels(inventory, each.namespace)) &&
            matchesLabels(selector.labels, each.labels),
        )
        .map(({ id }) => id);
      assert.deepEqual(meant, matched);
      assert.ok(ids.every((id) => matched.includes(id)));
      assert.equal(search.exact(new Set(ids)) !== undefined, matched.length === ids.length);
    }),
    { numRuns: 500 },
  );
});

test("one workload is told apart from another in its namespace whenever their stable labels differ", () => {
  fc.assert(
    fc.property(labels, labels, (mine, theirs) => {
      const pair = [workload("n/a", mine, "10.0.0.1"), workload("n/b", theirs, "10.0.0.2")];
      const sameLabels = JSON.stringify(Object.entries(mine).sort()) === JSON.stringify(Object.entries(theirs).sort());
      assert.equal(exact(pair, ["n/a"]) === undefined, sameLabels);
    }),
  );
});
