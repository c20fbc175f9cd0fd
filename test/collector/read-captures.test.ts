import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { generateCapture, USUAL_TRAFFIC } from "../../bench/generate-capture.js";
import { bytesOf } from "./packet-builder.js";
import { line, readFlows } from "./read-flows.js";

const RECORD_HEADER = 16;

/** A made-up capture of 20,000 packets, taken apart into its records. */
function madeCapture(): { readonly header: Uint8Array; readonly records: readonly Uint8Array[] } {
  const folder = mkdtempSync(join(tmpdir(), "portolan-test-"));
  const path = join(folder, "made.pcap");
  generateCapture(path, { ...USUAL_TRAFFIC, packets: 20_000, flowsPerSecond: 200 });
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  const records: Uint8Array[] = [];
  for (let at = 24; at < bytes.length; ) {
    const length = RECORD_HEADER + bytes.readUInt32LE(at + 8);
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { header: bytes.subarray(0, 24), records };
}

const MADE = madeCapture();

function file(records: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat([MADE.header, ...records]);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
}

const WHOLE = await readFlows([file(MADE.records)]);

test("flows come in order of their first packet, and the same input gives the same batches", async () => {
  const starts = WHOLE.flows.map(({ startUs }) => startUs);
  assert.deepEqual(
    starts,
    [...starts].sort((a, b) => a - b),
  );
  assert.deepEqual((await readFlows([file(MADE.records)])).batches, WHOLE.batches);
});

test("every packet is in exactly one flow", () => {
  const packets = WHOLE.flows.reduce(
    (sum, { originator, responder }) => sum + originator.packets + responder.packets,
    0,
  );
  assert.equal(packets, MADE.records.length);
  assert.equal(WHOLE.totals.packets, MADE.records.length);
  assert.equal(WHOLE.totals.flows, WHOLE.flows.length);
});

test("a capture cut into files gives the same flows, in whichever order the files are named", async () => {
  const third = Math.floor(MADE.records.length / 3);
  const parts = [0, 1, 2].map((i) => file(MADE.records.slice(i * third, i === 2 ? undefined : (i + 1) * third)));
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
  ]) {
    const { flows } = await readFlows(order.map((i) => parts[i] as Uint8Array));
    assert.deepEqual(flows, WHOLE.flows);
  }
});

test("two captures of the same time, one of each direction, are merged packet by packet", async () => {
  // Split by the parity of the source port's last bit: both halves have packets at nearly every moment.
  const isOdd = (record: Uint8Array) => record[record.length - 1] as number;
  const halves = [0, 1].map((bit) => file(MADE.records.filter((record) => (isOdd(record) & 1) === bit)));
  const { flows } = await readFlows(halves);
  assert.deepEqual(flows.map(line).sort(), WHOLE.flows.map(line).sort());
});

test("records in another order of time give the same tuples and counts", async () => {
  const swapped = MADE.records.map((record, i) => MADE.records[i ^ 1] ?? record);
  const { flows } = await readFlows([file(swapped)]);
  const counts = (all: typeof flows) =>
    all.reduce((sum, flow) => sum + flow.originator.bytes + flow.responder.bytes, 0);
  assert.equal(counts(flows), counts(WHOLE.flows));
});

test("buckets divide the flows, keep both directions together, and number their batches without holes", async () => {
  const { batches, flows } = await readFlows([file(MADE.records)], { buckets: 4, collector: "c", boot: "b" });
  assert.equal(flows.length, WHOLE.flows.length);
  assert.deepEqual(flows.map(line).sort(), WHOLE.flows.map(line).sort());
  for (const bucket of [0, 1, 2, 3]) {
    const own = batches.filter(({ origin }) => origin.bucket === bucket);
    assert.ok(own.length > 0);
    assert.deepEqual(
      own.map(({ origin }) => origin),
      own.map((_, sequence) => ({ collector: "c", boot: "b", sequence, bucket })),
    );
  }
});

test("loss is told once, in the first batch", async () => {
  assert.deepEqual(
    new Set(WHOLE.batches.map(({ loss }) => loss.dropped)),
    new Set(["unknown"]), // a pcap cannot tell
  );
});

test("progress counts packets and bytes up to the end", async () => {
  let last = { packets: 0, bytes: 0, totalBytes: undefined as number | undefined };
  const bytes = file(MADE.records);
  await readFlows([bytes], {
    onProgress: (progress) => {
      last = { ...progress, totalBytes: progress.totalBytes };
    },
  });
  assert.deepEqual(last, { packets: MADE.records.length, bytes: bytes.length, totalBytes: bytes.length });
});

test("a file that cannot be opened does not keep the others from being read", async () => {
  const { readCaptures } = await import("../../collector/read-captures.js");
  const folder = mkdtempSync(join(tmpdir(), "portolan-test-"));
  const path = join(folder, "good.pcap");
  writeFileSync(path, bytesOf(file(MADE.records.slice(0, 10))));
  const generator = readCaptures([join(folder, "none.pcap"), path]);
  for (;;) {
    const step = await generator.next();
    if (step.done !== true) continue;
    assert.equal(step.value.packets, 10);
    assert.deepEqual(
      step.value.errors.map(({ code }) => code),
      ["unreadable"],
    );
    break;
  }
  rmSync(folder, { recursive: true });
});
