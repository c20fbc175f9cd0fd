import assert from "node:assert/strict";
import test from "node:test";
import {
  encodeVerdictReport,
  parseVerdictReport,
  splitVerdictReport,
  type VerdictReport,
} from "../../model/verdict-report.js";

const REPORT: VerdictReport = {
  version: 1,
  enforcer: "shop/db",
  host: "shop/db",
  boot: "b1",
  sequence: 7,
  fromUs: 1_000,
  untilUs: 2_000,
  scope: "shop",
  generation: 3,
  mode: "deny",
  state: "deny",
  leaseRemainingMs: 41_000,
  counters: { missed: 9, repeated: 2, recorded: 6, denied: 9, invalid: 0, midstream: 1 },
  unrecorded: 1,
  edges: [10, 11, 12].map((port) => ({
    direction: "ingress" as const,
    client: "10.0.0.1",
    server: "10.0.0.2",
    protocol: 6,
    port,
    attempts: 2,
    verdict: "denied" as const,
    firstUs: 1_000,
    lastUs: 2_000,
  })),
  permits: [{ rule: "r1", packets: 4 }],
};

test("a verdict report reads back as it was written", () => {
  assert.deepEqual(parseVerdictReport(encodeVerdictReport(REPORT)), REPORT);
});

const FAULTS: readonly [string, unknown, RegExp][] = [
  ["another version", { ...REPORT, version: 2 }, /field version: wanted 1/],
  ["an unknown field", { ...REPORT, extra: 1 }, /extra/],
  ["a negative count", { ...REPORT, unrecorded: -1 }, /field unrecorded/],
  ["a count of half a packet", { ...REPORT, permits: [{ rule: "r1", packets: 0.5 }] }, /field permits\.0\.packets/],
  ["an address in another spelling", { ...REPORT, edges: [{ ...REPORT.edges[0], client: "010.0.0.1" }] }, /canonical/],
  ["a state nobody knows", { ...REPORT, state: "maybe" }, /field state/],
  ["a scope that is no name", { ...REPORT, scope: "../x" }, /name of a policy set/],
];
for (const [what, value, message] of FAULTS) {
  test(`parseVerdictReport() refuses ${what} in one line`, () => {
    assert.throws(
      () => parseVerdictReport(new TextEncoder().encode(JSON.stringify(value))),
      (error: Error) => error instanceof SyntaxError && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}

test("parseVerdictReport() refuses bytes that are no JSON", () => {
  assert.throws(() => parseVerdictReport(new Uint8Array([0xff, 0x00])), /it is not JSON/);
});

test("splitVerdictReport() tells everything once, numbered on", () => {
  const parts = splitVerdictReport(REPORT, 2);
  assert.deepEqual(
    parts.map(({ sequence, edges, permits, counters }) => [sequence, edges.length, permits.length, counters.missed]),
    [
      [7, 2, 0, 9],
      [8, 1, 1, 0],
    ],
  );
  assert.deepEqual(splitVerdictReport({ ...REPORT, edges: [], permits: [] }).length, 1);
});
