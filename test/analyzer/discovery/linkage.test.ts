import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { averageLinkage } from "../../../analyzer/discovery/linkage.js";

/** The definition: merge the two clusters with the least mean distance, until it exceeds the cut. */
function naive(points: readonly number[], cut: number): number[][] {
  let clusters = points.map((_, i) => [i]);
  for (;;) {
    let best: { i: number; j: number; d: number } | undefined;
    for (let i = 0; i < clusters.length; i++) {
      for (let j = i + 1; j < clusters.length; j++) {
        const [a, b] = [clusters[i] as number[], clusters[j] as number[]];
        const sum = a.reduce(
          (s, x) => s + b.reduce((t, y) => t + Math.abs((points[x] as number) - (points[y] as number)), 0),
          0,
        );
        const d = sum / (a.length * b.length);
        if (best === undefined || d < best.d) best = { i, j, d };
      }
    }
    if (best === undefined || best.d > cut) break;
    const merged = [...(clusters[best.i] as number[]), ...(clusters[best.j] as number[])].sort((a, b) => a - b);
    clusters = [...clusters.filter((_, i) => i !== best.i && i !== best.j), merged];
  }
  return clusters.sort((a, b) => (a[0] as number) - (b[0] as number));
}

// Distinct powers of an odd base keep all mean distances different, so that there is one right answer.
const points = fc
  .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 12 })
  .map((list) => list.map((x) => 1.37 ** x));

test("averageLinkage() finds the clusters that the definition finds", () => {
  fc.assert(
    fc.property(points, fc.double({ min: 0.01, max: 1000, noNaN: true }), (list, cut) => {
      const distance = (i: number, j: number) => Math.abs((list[i] as number) - (list[j] as number));
      assert.deepEqual(
        averageLinkage(
          list.map(() => 1),
          distance,
          cut,
        ),
        naive(list, cut),
      );
    }),
  );
});

test("a point with a size stands for as many equal points", () => {
  fc.assert(
    fc.property(points, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 12, maxLength: 12 }), (list, sizes) => {
      const own = sizes.slice(0, list.length);
      const distance = (i: number, j: number) => Math.abs((list[i] as number) - (list[j] as number));
      const repeated = list.flatMap((x, i) => Array.from({ length: own[i] as number }, () => x));
      const origin = list.flatMap((_, i) => Array.from({ length: own[i] as number }, () => i));
      const wanted = naive(repeated, 5).map((cluster) =>
        [...new Set(cluster.map((i) => origin[i] as number))].sort((a, b) => a - b),
      );
      assert.deepEqual(averageLinkage(own, distance, 5), wanted);
    }),
  );
});
