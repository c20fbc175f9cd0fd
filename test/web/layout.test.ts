import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { layoutInputOf } from "../../web/api/chart-map.js";
import { type ChartLayout, LAYOUT_VERSION, type LayoutInput, layoutChart } from "../../web/layout/chart-layout.js";
import { SLOT_HEIGHT, SLOT_WIDTH } from "../../web/layout/slots.js";
import { companySource } from "./company.js";
import { largeSource } from "./large-graph.js";

const company = layoutInputOf(await companySource().graph("workload", {}), "namespace");
const large = layoutInputOf(await largeSource(600, 2400).graph("workload", {}), "namespace");

function shuffled(input: LayoutInput, seed: number): LayoutInput {
  let state = seed;
  const mix = <T>(list: readonly T[]) =>
    list
      .map((item) => {
        state = (state * 48271) % 2147483647;
        return { item, key: state };
      })
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  return { nodes: mix(input.nodes), links: mix(input.links) };
}

test("the order of the input does not matter, to the byte", () => {
  for (const input of [company, large]) {
    const wanted = JSON.stringify(layoutChart(input));
    for (const seed of [1, 2, 3]) assert.equal(JSON.stringify(layoutChart(shuffled(input, seed))), wanted);
  }
});

test("the layout of a known graph stays what it is until its version grows", () => {
  const { version, hash } = layoutChart(company);
  assert.deepEqual({ version, hash }, { version: LAYOUT_VERSION, hash: "67f2e9242fc5fe96" });
});

function overlaps({ islands }: ChartLayout): string[] {
  const found: string[] = [];
  islands.forEach((a, i) => {
    for (const b of islands.slice(i + 1)) {
      const dx = a.x - b.x;
      const dy = ((a.y - b.y) * 4) / 3;
      const distance = Math.sqrt(dx * dx + dy * dy);
      if (distance < (a.radius + b.radius) * 0.97) found.push(`${a.id} and ${b.id}`);
    }
  });
  return found;
}

test("islands lie apart, and nodes of an island never share a place", () => {
  for (const input of [company, large]) {
    const layout = layoutChart(input);
    assert.deepEqual(overlaps(layout), []);
    const places = layout.nodes.map(({ x, y }) => `${x} ${y}`);
    assert.equal(new Set(places).size, places.length);
  }
});

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 40 });
const graphs = ids.chain((names) =>
  fc.record({
    nodes: fc.tuple(
      ...names.map((id) => fc.record({ id: fc.constant(id), group: fc.constantFrom("a", "b", "c", "d") })),
    ),
    links: fc.array(
      fc.record({
        client: fc.constantFrom(...names, "stranger"),
        server: fc.constantFrom(...names),
        weight: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 60 },
    ),
  }),
);

test("every node of any graph gets a place of its own, at least a slot from its neighbours", () => {
  fc.assert(
    fc.property(graphs, (input) => {
      const layout = layoutChart(input);
      assert.equal(layout.nodes.length, input.nodes.length);
      for (const island of layout.islands) {
        const members = layout.nodes.filter((node) => node.group === island.id);
        members.forEach((a, i) => {
          for (const b of members.slice(i + 1)) {
            const isApart = Math.abs(a.y - b.y) >= SLOT_HEIGHT - 1e-6 || Math.abs(a.x - b.x) >= SLOT_WIDTH - 1e-6;
            assert.ok(isApart, `${a.id} and ${b.id}`);
          }
        });
      }
    }),
    { numRuns: 60 },
  );
});

test("newcomers, also whole islands of them, move nothing that was placed", () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 8 }), (input, newcomers) => {
      const kept = layoutChart(input);
      const extra = Array.from({ length: newcomers }, (_, i) => ({
        id: `newcomer ${i}`,
        group: ["a", "b", "new"][i % 3] ?? "a",
      }));
      const first = input.nodes[0]?.id ?? "";
      const links = [...input.links, ...extra.map(({ id }) => ({ client: id, server: first, weight: 1 }))];
      const grown = layoutChart({ nodes: [...input.nodes, ...extra], links, kept });
      const places = new Map(grown.nodes.map((node) => [node.id, node]));
      for (const { id, x, y } of kept.nodes) {
        assert.deepEqual([places.get(id)?.x, places.get(id)?.y], [x, y]);
      }
      assert.equal(new Set(grown.nodes.map(({ x, y }) => `${x} ${y}`)).size, grown.nodes.length);
    }),
    { numRuns: 40 },
  );
});

test("one more node in a hundred moves none of a large graph", () => {
  const kept = layoutChart(large);
  const groups = kept.islands.map(({ id }) => id);
  const extra = Array.from({ length: 6 }, (_, i) => ({ id: `late ${i}`, group: groups[i % groups.length] ?? "" }));
  const grown = layoutChart({ ...large, nodes: [...large.nodes, ...extra], kept });
  const places = new Map(grown.nodes.map((node) => [node.id, node]));
  const moved = kept.nodes.filter(({ id, x, y }) => places.get(id)?.x !== x || places.get(id)?.y !== y);
  assert.equal(moved.length, 0);
});

test("a node that moves to another island takes a new place, and the rest stay", () => {
  const kept = layoutChart(company);
  const [one] = company.nodes;
  const nodes = company.nodes.map((node) => (node.id === one?.id ? { ...node, group: "elsewhere" } : node));
  const next = layoutChart({ ...company, nodes, kept });
  assert.equal(next.nodes.find(({ id }) => id === one?.id)?.group, "elsewhere");
  const places = new Map(next.nodes.map((node) => [node.id, node]));
  for (const { id, x, y } of kept.nodes.filter((node) => node.id !== one?.id)) {
    assert.deepEqual([places.get(id)?.x, places.get(id)?.y], [x, y]);
  }
});
