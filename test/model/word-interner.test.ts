import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { WordInterner } from "../../model/word-interner.js";

test("equal words get equal numbers, counted from 0 in order of arrival, however many there are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 300 })), { maxLength: 400 }),
      (pairs) => {
        const interner = new WordInterner(2, 4);
        const known = new Map<string, number>();
        for (const pair of pairs) {
          interner.key.set(pair);
          const before = known.get(pair.join());
          assert.equal(interner.find(), before ?? -1);
          const id = interner.intern();
          assert.equal(id, before ?? known.size);
          known.set(pair.join(), id);
          assert.deepEqual([...interner.words.subarray(id * 2, id * 2 + 2)], pair);
        }
        assert.equal(interner.size, known.size);
      },
    ),
  );
});
