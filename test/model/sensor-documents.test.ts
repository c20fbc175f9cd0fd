import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { encodeFlowLoss, type FlowLoss, parseFlowLoss } from "../../model/flow-loss.js";
import { encodeHeartbeat, parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";

const BEAT: SensorHeartbeat = {
  version: 1,
  sensor: "host-1",
  kind: "collector",
  boot: "b",
  atUs: 1_767_225_610_000_000,
  startedUs: 1_767_225_600_000_000,
  software: "0.1.0",
  interfaces: [{ name: "eth0", program: "tcpdump", packets: 12, dropped: "unknown" }],
  spool: { bytes: 10, batches: 2, oldestUs: 1_767_225_609_000_000, lostBatches: 1, lostFlows: 900 },
  lagMs: 1000,
};

const LOSS: FlowLoss = {
  version: 1,
  collector: "host-1",
  boot: "b",
  bucket: 3,
  first: 4,
  last: 9,
  flows: 5210,
  fromUs: 1_767_225_600_000_000,
  untilUs: 1_767_225_660_000_000,
  reason: "spool-full",
};

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("parseHeartbeat() and parseFlowLoss() read what was encoded", () => {
  assert.deepEqual(parseHeartbeat(encodeHeartbeat(BEAT)), BEAT);
  assert.deepEqual(parseFlowLoss(encodeFlowLoss(LOSS)), LOSS);
});

test("a heartbeat of a later version of the software may say more", () => {
  assert.deepEqual(parseHeartbeat(bytesOf({ ...BEAT, temperature: 40 })), BEAT);
});

for (const [name, bytes, message] of [
  ["no JSON", new TextEncoder().encode("{"), "Cannot read flow loss: wanted JSON in UTF-8"],
  ["another version", bytesOf({ ...LOSS, version: 2 }), /^Cannot read flow loss: version: /],
  ["a range that ends before it begins", bytesOf({ ...LOSS, last: 3 }), "Cannot read flow loss: wanted first <= last"],
  ["a count that is none", bytesOf({ ...LOSS, flows: -1 }), /^Cannot read flow loss: flows: /],
  ["too many bytes", new Uint8Array(2 << 20), "Cannot read flow loss: it has 2097152 bytes, wanted at most 1048576"],
] as const) {
  test(`parseFlowLoss() refuses ${name} in one line`, () => {
    assert.throws(() => parseFlowLoss(bytes), { name: "SyntaxError", message });
  });
}

test("hostile bytes are refused and never crash", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        assert.throws(() => parseHeartbeat(bytes), SyntaxError);
        assert.throws(() => parseFlowLoss(bytes), SyntaxError);
      },
    ),
  );
});
