import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GraphNode } from "../../model/graph.js";
import { chooseMarks, islandOf } from "../../web/api/choose-marks.js";

const node = (id: number, namespace: string): GraphNode => ({
  id: `workload:${namespace}/${String(id).padStart(4, "0")}`,
  kind: "workload",
  label: String(id),
  namespace,
  labels: { tier: namespace === "a" ? "web" : "db" },
  members: [],
  memberCount: 1,
});

const crowds = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { minLength: 1, maxLength: 120 })
  .map((list) => list.map(([island, isWanted], i) => ({ node: node(i, `ns-${island}`), isWanted })));
const islands = fc.array(
  fc.integer({ min: 0, max: 31 }).map((island) => `ns-${island}`),
  { maxLength: 12 },
);

test("never more marks than the bound, and every wanted node belongs to exactly one", () => {
  fc.assert(
    fc.property(crowds, islands, islands, fc.integer({ min: 1, max: 60 }), (crowd, open, closed, limit) => {
      const wanted = new Set(crowd.filter(({ isWanted }) => isWanted).map((one) => one.node.id));
      const nodes = crowd.map((one) => one.node);
      const isWanted = ({ id }: GraphNode) => wanted.has(id);
      const chosen = chooseMarks(nodes, { grouping: "namespace", isWanted, open, closed, limit });
      assert.ok(chosen.marks.length <= limit, `${chosen.marks.length} marks, ${limit} allowed`);
      const holders = new Map<string, number>();
      for (const mark of chosen.marks) {
        assert.ok(mark.nodes.length > 0, mark.id);
        for (const { id } of mark.nodes) {
          holders.set(id, (holders.get(id) ?? 0) + 1);
          assert.equal(chosen.markOf.get(id), mark);
        }
      }
      for (const id of wanted) assert.equal(holders.get(id), 1, id);
      for (const [id, count] of holders) assert.equal(count, 1, id);
      const ids = chosen.marks.map(({ id }) => id);
      assert.deepEqual(ids, [...new Set(ids)].sort());
    }),
    { numRuns: 400 },
  );
});

test("all that is asked for is opened, whatever the bound", () => {
  fc.assert(
    fc.property(crowds, (crowd) => {
      const nodes = crowd.map((one) => one.node);
      const chosen = chooseMarks(nodes, {
        grouping: "namespace",
        isWanted: () => true,
        open: "all",
        closed: [],
        limit: 5,
      });
      assert.deepEqual(
        chosen.marks.map(({ id }) => id),
        nodes.map(({ id }) => id).sort(),
      );
    }),
  );
});

test("what fits opens by itself, and closing it gathers it again", () => {
  const nodes = [node(1, "a"), node(2, "a"), node(3, "b")];
  const wishes = { grouping: "namespace", isWanted: () => true, open: [], limit: 150 };
  assert.deepEqual(
    chooseMarks(nodes, { ...wishes, closed: [] }).marks.map(({ kind }) => kind),
    ["node", "node", "node"],
  );
  const ids = chooseMarks(nodes, { ...wishes, closed: ["a"] }).marks.map(({ id }) => id);
  assert.deepEqual(ids, ["island:a", "workload:b/0003"]);
});

const GROUPINGS: readonly (readonly [grouping: string, island: string])[] = [
  ["namespace", "a"],
  ["kind", "workload"],
  ["none", "all"],
  ["label:tier", "web"],
  ["label:team", "no team"],
];

for (const [grouping, island] of GROUPINGS) {
  test(`grouping by ${grouping} puts a workload on the island "${island}"`, () => {
    assert.equal(islandOf(node(1, "a"), grouping), island);
  });
}
