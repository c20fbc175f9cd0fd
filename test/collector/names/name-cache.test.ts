import assert from "node:assert/strict";
import test from "node:test";
import { NameLists } from "../../../collector/name-lists.js";
import { NameCache } from "../../../collector/names/name-cache.js";

const SECOND = 1_000_000;
const [CLIENT, OTHER, THIRD] = [1, 2, 3];
const [SERVER, SERVER2, SERVER3] = [101, 102, 103];

/** The names alone, as text. */
function look(cache: NameCache, client: number, server: number, atUs: number): string[] {
  return cache.lists.at(cache.lookup(client, server, atUs)).map(({ name }) => name);
}

test("an answer names its address for its time to live plus the grace, and not before it was given", () => {
  const cache = new NameCache(new NameLists(), { graceSeconds: 10 });
  cache.learn(CLIENT, SERVER, "db.test", 60, 100 * SECOND);
  const at = (second: number) => look(cache, CLIENT, SERVER, second * SECOND);
  assert.deepEqual(at(99), []);
  assert.deepEqual(at(100), ["db.test"]);
  assert.deepEqual(at(170), ["db.test"]);
  assert.deepEqual(at(171), []);
});

test("a repeated answer prolongs, and one after a hole begins anew", () => {
  const cache = new NameCache(new NameLists(), { graceSeconds: 0 });
  const learn = (second: number) => cache.learn(CLIENT, SERVER, "n", 10, second * SECOND);
  learn(0);
  learn(8);
  assert.deepEqual(look(cache, CLIENT, SERVER, 3 * SECOND), ["n"]);
  assert.deepEqual(look(cache, CLIENT, SERVER, 18 * SECOND), ["n"]);
  learn(50);
  assert.deepEqual(look(cache, CLIENT, SERVER, 30 * SECOND), []);
});

test("what the client itself was told is preferred to what others were told", () => {
  const cache = new NameCache(new NameLists());
  cache.learn(CLIENT, SERVER, "a.test", 60, 0);
  cache.learn(OTHER, SERVER, "b.test", 60, 0);
  assert.deepEqual(look(cache, CLIENT, SERVER, 1), ["a.test"]);
  assert.deepEqual(look(cache, THIRD, SERVER, 1), ["a.test", "b.test"]);
});

test("all names of a shared address are kept, sorted", () => {
  const cache = new NameCache(new NameLists());
  for (const name of ["z.test", "a.test", "m.test"]) cache.learn(CLIENT, SERVER, name, 60, 0);
  assert.deepEqual(look(cache, CLIENT, SERVER, 1), ["a.test", "m.test", "z.test"]);
});

test("what was learned first is forgotten first", () => {
  const cache = new NameCache(new NameLists(), { maxPairs: 4, maxNamesPerPair: 2 });
  cache.learn(undefined, SERVER, "one.test", 60, 0);
  cache.learn(undefined, SERVER2, "two.test", 60, 0);
  cache.learn(undefined, SERVER3, "three.test", 60, 0);
  assert.deepEqual(look(cache, CLIENT, SERVER, 1), ["one.test"]);
  for (const name of ["1.test", "2.test", "3.test"]) cache.learn(undefined, SERVER3, name, 60, 0);
  assert.deepEqual(look(cache, CLIENT, SERVER3, 1), ["2.test", "3.test"]);
  for (const server of [104, 105, 106]) cache.learn(undefined, server, "later.test", 60, 0);
  assert.deepEqual(look(cache, CLIENT, SERVER, 1), []);
});

test("a lookup hands out the same list again while nothing changed", () => {
  const cache = new NameCache(new NameLists());
  cache.learn(CLIENT, SERVER, "a.test", 60, 0);
  const first = cache.lookup(CLIENT, SERVER, 1);
  cache.learn(CLIENT, SERVER, "a.test", 60, 2);
  assert.equal(cache.lookup(CLIENT, SERVER, 3), first);
});
