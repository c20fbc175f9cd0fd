import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { AddressNumbers } from "../../../analyzer/store/address-numbers.js";

const address = fc.record({
  family: fc.constantFrom(4, 6),
  bytes: fc.uint8Array({ minLength: 16, maxLength: 16, max: 3 }), // so few that they come again
});

test("an address has the number that it was given first", () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 3000 }), (addresses) => {
      const numbers = new AddressNumbers();
      const known = new Map<string, number>();
      for (const { family, bytes } of addresses) {
        const text = `${family} ${bytes.subarray(0, family === 4 ? 4 : 16)}`;
        const own = known.get(text);
        const found = numbers.get(family, bytes, 0, () => {
          assert.equal(own, undefined, text);
          known.set(text, known.size);
          return known.size - 1;
        });
        assert.equal(found, known.get(text));
      }
    }),
    { numRuns: 20 },
  );
});

test("more addresses than there was room for keep their numbers, and families do not meet", () => {
  const numbers = new AddressNumbers();
  const bytes = new Uint8Array(16);
  const numberOf = (family: number, i: number, next: () => number) => {
    bytes.set([i & 255, i >> 8, 0, 0]);
    return numbers.get(family, bytes, 0, next);
  };
  const fail = () => assert.fail("it has a number");
  for (let i = 0; i < 10_000; i++)
    assert.equal(
      numberOf(4, i, () => i),
      i,
    );
  for (let i = 0; i < 10_000; i++)
    assert.equal(
      numberOf(6, i, () => 10_000 + i),
      10_000 + i,
    );
  for (let i = 0; i < 10_000; i++) assert.deepEqual([numberOf(4, i, fail), numberOf(6, i, fail)], [i, 10_000 + i]);
});
