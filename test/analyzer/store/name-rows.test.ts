import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { NameRows } from "../../../analyzer/store/name-rows.js";
import { HOUR_US } from "../../../model/time-window.js";

type Row = readonly [number, number, number, number, number, number, number];

function rowsOf(names: NameRows): string[] {
  const [hours, ...rest] = names.columns(0);
  return Array.from({ length: names.rows }, (_, row) => {
    const hour = (hours?.[2 * row + 1] as number) * 4294967296 + (hours?.[2 * row] as number);
    return [hour, ...rest.map((column) => column[row])].join(" ");
  });
}

test("each row is kept once, in the order of its first coming, however many there are", () => {
  const small = fc.nat(3);
  const row = fc.tuple(
    fc.nat(500_000).map((hour) => hour * HOUR_US),
    small,
    small,
    small,
    small,
    small,
    fc.nat(200),
  );
  fc.assert(
    fc.property(fc.array<Row>(row, { maxLength: 3000, size: "max" }), (rows) => {
      const names = new NameRows();
      for (const each of rows) names.add(...each);
      assert.deepEqual(rowsOf(names), [...new Set(rows.map((each) => each.join(" ")))]);
    }),
    { numRuns: 30 },
  );
});
