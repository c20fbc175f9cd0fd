import assert from "node:assert/strict";
import { test } from "node:test";
import { medianInterval } from "../../bench/median-interval.js";

test("medianInterval() leaves out as many at each end as a fair coin allows", () => {
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7) % n) + 1); // 1..n, not in order
  // Ranks from the tables of the sign test at 95 %.
  assert.deepEqual(medianInterval(numbers(15)), { low: 4, median: 8, high: 12 });
  assert.deepEqual(medianInterval(numbers(25)), { low: 8, median: 13, high: 18 });
  assert.deepEqual(medianInterval(numbers(6)), { low: 1, median: 3.5, high: 6 });
  assert.deepEqual(medianInterval([5]), { low: 5, median: 5, high: 5 });
});
