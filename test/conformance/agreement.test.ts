import assert from "node:assert/strict";
import test from "node:test";
import { agreementOf } from "./discovery/agreement.js";

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("equal partitions agree wholly, whatever their order; items without a true group do not count", () => {
  const { items, adjustedRand, homogeneity } = agreementOf(
    [
      ["c", "x"],
      ["b", "a"],
    ],
    [["a", "b"], ["c"]],
  );
  assert.deepEqual([items, adjustedRand, homogeneity], [3, 1, 1]);
});

test("a split cluster stays homogeneous and loses Rand, by the textbook figures", () => {
  const { adjustedRand, homogeneity } = agreementOf(
    [["a"], ["b"], ["c", "d"]],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  );
  assert.equal(homogeneity, 1);
  near(adjustedRand, (1 - (1 * 2) / 6) / ((1 + 2) / 2 - (1 * 2) / 6));
});

test("one cluster for everything tells nothing", () => {
  const { adjustedRand, homogeneity } = agreementOf(
    [["a", "b", "c", "d"]],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  );
  near(adjustedRand, 0);
  near(homogeneity, 0);
});
