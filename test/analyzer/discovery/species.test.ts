import assert from "node:assert/strict";
import test from "node:test";
import { blockUnits, countIncidences, sampleCoverage, unseenKinds } from "../../../analyzer/discovery/species.js";

test("countIncidences() counts kinds by the number of units they were met in", () => {
  const counts = countIncidences([[0], [3], [1, 2], [0, 1, 2, 3], []], 4);
  assert.deepEqual(counts, { samples: 4, once: 2, twice: 1, incidences: 8, kinds: 4 });
});

test("unseenKinds() is Chao2, with its own form when nothing was met twice", () => {
  assert.equal(unseenKinds({ samples: 4, once: 4, twice: 2, incidences: 20, kinds: 9 }), 3); // 3/4 * 16/4
  assert.equal(unseenKinds({ samples: 4, once: 4, twice: 0, incidences: 20, kinds: 9 }), 4.5); // 3/4 * 4*3/2
  assert.equal(unseenKinds({ samples: 0, once: 0, twice: 0, incidences: 0, kinds: 0 }), 0);
});

test("sampleCoverage() is the Chao and Jost estimate", () => {
  // A = 3*4/(3*4 + 2*2) = 3/4; C = 1 - 4/20 * 3/4
  assert.ok(Math.abs(sampleCoverage({ samples: 4, once: 4, twice: 2, incidences: 20, kinds: 9 }) - 0.85) < 1e-12);
  assert.equal(sampleCoverage({ samples: 9, once: 0, twice: 2, incidences: 20, kinds: 9 }), 1);
  assert.equal(sampleCoverage({ samples: 9, once: 0, twice: 0, incidences: 0, kinds: 0 }), 0);
});

test("blockUnits() counts a block once however often it was met", () => {
  assert.deepEqual(blockUnits([0, 1, 5, 6, 13], 6), [0, 1, 2]);
});
