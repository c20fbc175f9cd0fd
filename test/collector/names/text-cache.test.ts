import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { TextCache } from "../../../collector/names/text-cache.js";

const textOf = (bytes: Uint8Array, start: number, end: number) => bytes.subarray(start, end).join(".");

test("a remembered text is that of the bytes, also where runs share a place, differ in length alone or are too long", () => {
  const run = fc.uint8Array({ minLength: 1, maxLength: 10, max: 3 });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 60 }), (runs) => {
      const cache = new TextCache(textOf, 4, 6);
      for (const bytes of runs) {
        const around = Uint8Array.from([9, ...bytes, 9]);
        assert.equal(cache.of(around, 1, 1 + bytes.length), textOf(bytes, 0, bytes.length));
      }
    }),
  );
});

test("what comes again is not made again", () => {
  let made = 0;
  const cache = new TextCache((bytes, start, end) => `${made++} ${textOf(bytes, start, end)}`, 16, 8);
  const bytes = Uint8Array.from([1, 2, 3]);
  assert.equal(cache.of(bytes, 0, 3), cache.of(Uint8Array.from([7, 1, 2, 3]), 1, 4));
  assert.equal(made, 1);
});
