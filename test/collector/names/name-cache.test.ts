import assert from "node:assert/strict";
import test from "node:test";
import { NameCache } from "../../../collector/names/name-cache.js";

const SECOND = 1_000_000;

test("an answer names its address for its time to live plus the grace, and not before it was given", () => {
  const cache = new NameCache({ graceSeconds: 10 });
  cache.learn("192.0.2.1", "198.51.100.7", "db.test", 60, 100 * SECOND);
  const at = (second: number) => cache.lookup("192.0.2.1", "198.51.100.7", second * SECOND);
  assert.deepEqual(at(99), []);
  assert.deepEqual(at(100), ["db.test"]);
  assert.deepEqual(at(170), ["db.test"]);
  assert.deepEqual(at(171), []);
});

test("a repeated answer prolongs, and one after a hole begins anew", () => {
  const cache = new NameCache({ graceSeconds: 0 });
  const learn = (second: number) => cache.learn("c", "s", "n", 10, second * SECOND);
  learn(0);
  learn(8);
  assert.deepEqual(cache.lookup("c", "s", 3 * SECOND), ["n"]);
  assert.deepEqual(cache.lookup("c", "s", 18 * SECOND), ["n"]);
  learn(50);
  assert.deepEqual(cache.lookup("c", "s", 30 * SECOND), []);
});

test("what the client itself was told is preferred to what others were told", () => {
  const cache = new NameCache();
  cache.learn("client-a", "s", "a.test", 60, 0);
  cache.learn("client-b", "s", "b.test", 60, 0);
  assert.deepEqual(cache.lookup("client-a", "s", 1), ["a.test"]);
  assert.deepEqual(cache.lookup("client-c", "s", 1), ["a.test", "b.test"]);
});

test("all names of a shared address are kept, sorted", () => {
  const cache = new NameCache();
  for (const name of ["z.test", "a.test", "m.test"]) cache.learn("c", "s", name, 60, 0);
  assert.deepEqual(cache.lookup("c", "s", 1), ["a.test", "m.test", "z.test"]);
});

test("what was used longest ago is forgotten first", () => {
  const cache = new NameCache({ maxPairs: 4, maxNamesPerPair: 2 });
  cache.learn("c", "s1", "one.test", 60, 0);
  cache.learn("c", "s2", "two.test", 60, 0);
  cache.lookup("c", "s1", 1);
  cache.learn("", "s3", "three.test", 60, 0);
  assert.equal(cache.size, 4);
  assert.deepEqual(cache.lookup("c", "s1", 1), ["one.test"]);
  for (const name of ["1.test", "2.test", "3.test"]) cache.learn("c", "s1", name, 60, 0);
  assert.deepEqual(cache.lookup("c", "s1", 1), ["2.test", "3.test"]);
});
