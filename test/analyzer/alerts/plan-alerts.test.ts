import assert from "node:assert/strict";
import test from "node:test";
import { fullBucket, takeTokens } from "../../../analyzer/alerts/alert-limit.js";
import { type DenialSighting, freshDenials } from "../../../analyzer/alerts/denial-sightings.js";
import { edgeAlerts, type HeldBack, planAlerts } from "../../../analyzer/alerts/plan-alerts.js";
import { FIRST_LINK } from "../../../analyzer/audit/audit-trail.js";
import { EMPTY_INVENTORY } from "../../../model/workload.js";
import { MINUTE, sampleEdge, T0 } from "./sample-reports.js";

const sighting = (entry: number, over: Partial<DenialSighting> = {}): DenialSighting => ({
  ...sampleEdge({}, T0 + entry * MINUTE),
  scope: "shop",
  entry,
  receivedUs: T0 + entry * MINUTE,
  enforcer: "enforcer-1",
  host: "shop/db",
  generation: 7,
  ...over,
});

const since = (sightings: readonly DenialSighting[], earlier: readonly DenialSighting[] = []) => ({
  sightings,
  earlier,
  until: { number: 9, link: FIRST_LINK },
  isOtherTrail: false,
});

const QUIET = 30 * MINUTE;
const entries = (fresh: ReturnType<typeof freshDenials>) => fresh.map(({ sighting: { entry } }) => entry);

test("freshDenials() tells an edge once, however often and by however many hosts it is counted", () => {
  const all = [sighting(1), sighting(2), sighting(3, { host: "shop/other", enforcer: "enforcer-2" })];
  assert.deepEqual(entries(freshDenials(since(all), QUIET)), [1]);
  assert.deepEqual(entries(freshDenials(since(all.slice(1), all.slice(0, 1)), QUIET)), []);
});

test("freshDenials() takes each part of the key for another edge", () => {
  const parts: Partial<DenialSighting>[] = [
    { scope: "other" },
    { direction: "egress" },
    { client: "10.0.0.8" },
    { server: "10.0.0.3" },
    { protocol: 17 },
    { port: 443 },
  ];
  const others = parts.map((part, i) => sighting(i + 2, part));
  assert.deepEqual(entries(freshDenials(since([sighting(1), ...others]), QUIET)), [1, 2, 3, 4, 5, 6, 7]);
});

test("freshDenials() tells an edge again after it was quiet, and says when it was last counted", () => {
  const again = freshDenials(since([sighting(40)], [sighting(10)]), QUIET);
  assert.deepEqual(
    again.map(({ beforeUs }) => beforeUs),
    [T0 + 10 * MINUTE],
  );
  assert.deepEqual(entries(freshDenials(since([sighting(39)], [sighting(10)]), QUIET)), []);
});

test("freshDenials() tells of the first denial of an edge that was only audited, and not the other way round", () => {
  const denied = sighting(2, { verdict: "denied" });
  assert.deepEqual(entries(freshDenials(since([denied], [sighting(1)]), QUIET)), [2]);
  assert.deepEqual(entries(freshDenials(since([sighting(3)], [denied]), QUIET)), []);
});

test("what is fresh does not depend on how the trail is cut into parts", () => {
  const trail = [1, 2, 3, 40, 41, 90].flatMap((entry) => [
    sighting(entry),
    sighting(entry, { port: entry % 2 }),
    sighting(entry, { verdict: entry > 40 ? "denied" : "audited", client: "10.0.0.7" }),
  ]);
  const whole = freshDenials(since(trail), QUIET).map(({ sighting: { entry, port, client } }) => [entry, port, client]);
  for (let cut = 1; cut < trail.length; cut++) {
    const parts = [trail.slice(0, cut), trail.slice(cut)].map((part, i) =>
      freshDenials(since(part, i === 0 ? [] : trail.slice(0, cut)), QUIET),
    );
    assert.deepEqual(
      parts.flat().map(({ sighting: { entry, port, client } }) => [entry, port, client]),
      whole,
      `cut at ${cut}`,
    );
  }
});

test("edgeAlerts() leaves out what a person has accepted, until the acceptance ends", () => {
  const fresh = freshDenials(since([sighting(1), sighting(2, { port: 443 })]), QUIET);
  const denial = {
    ...{ scope: undefined, client: "10.0.0.0/24", server: "*", protocol: 6, port: 443, by: "ada", note: "legacy" },
  };
  const told = (untilUs: number) =>
    edgeAlerts(fresh, EMPTY_INVENTORY, [{ ...denial, untilUs }]).map(({ port }) => port);
  assert.deepEqual(told(Number.POSITIVE_INFINITY), [5432]);
  assert.deepEqual(told(T0), [5432, 443]);
});

test("takeTokens() gives no more than the rate over any time, and saves up no more than a minute's worth", () => {
  let bucket = fullBucket(6, 0);
  let taken = 0;
  for (let ms = 0; ms <= 600_000; ms += 250) {
    const given = takeTokens(bucket, 100, ms);
    bucket = given.bucket;
    taken += given.taken;
  }
  assert.equal(taken, 6 + 60);
  assert.equal(takeTokens({ ...bucket, tokens: 0 }, 100, 9_000_000).taken, 6);
  assert.equal(takeTokens(bucket, 100, -5).taken, 0);
});

test("planAlerts() counts every edge once, in an alert of its own or in a summary, whatever the rate", () => {
  let bucket = fullBucket(4, 0);
  let heldBack: HeldBack | undefined;
  let [one, summed, summaries, next] = [0, 0, 0, 0];
  for (let second = 0; second < 600; second++) {
    const fresh = Array.from({ length: second < 300 ? second % 7 : 0 }, () => sighting(++next, { port: next }));
    const edges = edgeAlerts(
      fresh.map((each) => ({ sighting: each, beforeUs: undefined })),
      EMPTY_INVENTORY,
      [],
    );
    const plan = planAlerts(edges, heldBack, bucket, { steadyMs: second * 1000, us: T0 + second * 1_000_000 });
    ({ bucket, heldBack } = plan);
    for (const alert of plan.alerts) {
      if (alert.kind === "edge") one++;
      if (alert.kind === "more") {
        summaries++;
        summed += alert.edges;
        assert.ok(alert.untilEntry >= alert.fromEntry);
      }
    }
  }
  assert.equal(heldBack, undefined);
  assert.equal(one + summed, next);
  assert.ok(one + summaries <= 4 + 40, `${one} and ${summaries}`);
});
