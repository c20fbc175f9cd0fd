import assert from "node:assert/strict";
import test from "node:test";
import { type FlowSink, followFlows } from "../../../analyzer/ingest/follow-flows.js";
import { encodeFlowBatch } from "../../../model/flow-batch-codec.js";
import type { ReceivedMessage } from "../../../stream/carrier.js";
import { inProcessCarrier } from "../../../stream/in-process.js";
import { batchOf, originOf } from "../batches.js";

const SINK: FlowSink = {
  async take() {},
  async flush() {},
  positions: async () => [],
  release: async () => [],
};

const message = (sequence: number) => ({
  key: "0",
  value: encodeFlowBatch(batchOf(originOf("a", sequence), [{}])),
  headers: {},
});

test("drain() handles everything that was sent before, then stores it", async () => {
  const carrier = inProcessCarrier();
  const taken: number[] = [];
  let flushes = 0;
  const followed = await followFlows(
    carrier,
    {
      ...SINK,
      async take({ batch }) {
        await new Promise(setImmediate);
        taken.push(batch?.origin.sequence ?? -1);
      },
      async flush() {
        flushes++;
      },
    },
    { isLasting: false },
  );
  for (let sequence = 0; sequence < 20; sequence++) await carrier.send("portolan.flows", message(sequence));
  await followed.drain();
  assert.deepEqual(
    taken,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(flushes, 1);
  await carrier.close();
});

test("a message that is no flow batch is counted, kept aside with the reason, and passed over", async () => {
  const carrier = inProcessCarrier();
  const taken: number[] = [];
  const aside: ReceivedMessage[] = [];
  await carrier.subscribe("portolan.dead-letters", {
    positions: async () => new Map(),
    handle: async (letter) => void aside.push(letter),
  });
  const followed = await followFlows(
    carrier,
    {
      ...SINK,
      async take({ batch }) {
        if (batch !== undefined) taken.push(batch.origin.sequence);
      },
    },
    { isLasting: false },
  );
  await carrier.send("portolan.flows", { key: "0", value: new Uint8Array([1, 2, 3]), headers: {} });
  await carrier.send("portolan.flows", message(0));
  await followed.drain();
  assert.equal(followed.damaged(), 1);
  assert.deepEqual(followed.deadLetters(), { byCode: { "not-arrow": 1 }, total: 1, unkept: 0 });
  await new Promise(setImmediate);
  assert.deepEqual(aside[0]?.value, new Uint8Array([1, 2, 3]));
  const { "portolan-reason": reason, ...place } = aside[0]?.headers ?? {};
  assert.match(String(reason), /^Cannot read flow batch: /);
  assert.deepEqual(place, {
    "portolan-topic": "portolan.flows",
    "portolan-partition": "0",
    "portolan-offset": "0",
    "portolan-bytes": "3",
    "portolan-code": "not-arrow",
  });
  assert.deepEqual(taken, [0]);
  await carrier.close();
});

test("drain() fails with what the sink failed with, instead of waiting for ever", async () => {
  const carrier = inProcessCarrier(1);
  const followed = await followFlows(
    carrier,
    {
      ...SINK,
      async take() {
        throw new Error("no space");
      },
    },
    { isLasting: false },
  );
  await carrier.send("portolan.flows", message(0));
  await assert.rejects(followed.drain(), /no space/);
  await carrier.close();
});
