import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { generateCapture, USUAL_TRAFFIC } from "../../bench/generate-capture.js";
import { openSource } from "../../collector/capture-file/byte-source.js";
import { CaptureReader } from "../../collector/capture-file/capture-reader.js";
import { FlowMeter } from "../../collector/flow-meter.js";
import type { PartTimes } from "../../collector/flow-table.js";
import { firstLayerOf } from "../../collector/layers/link-types.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import type { FlowRecord } from "../../model/flow-record.js";
import { flowAt } from "../../model/flow-rows.js";

const NO_LOSS = { dropped: 0 };

function flowsOf(batches: Iterable<FlowBatch>): FlowRecord[] {
  return [...batches].flatMap((batch) => Array.from({ length: batch.length }, (_, row) => flowAt(batch, row)));
}

/** Flows of a made-up capture; with `times`, told in parts at every `everyUs` of the packets' own time. */
async function read(path: string, times?: PartTimes, everyUs = 100_000): Promise<FlowRecord[]> {
  const meter = new FlowMeter({ collector: "test", boot: "boot" });
  const reader = await CaptureReader.open(openSource(path));
  const { packet } = reader;
  const layer = firstLayerOf(1) as number;
  const flows: FlowRecord[] = [];
  let nextUs = 0;
  while (await reader.advance()) {
    if (times !== undefined && packet.timeUs >= nextUs) {
      meter.tellParts(packet.timeUs, times);
      flows.push(...flowsOf(meter.export(NO_LOSS)));
      nextUs = packet.timeUs + everyUs;
    }
    meter.add(layer, reader.bytes, packet.start, packet.capturedLength, packet.wireLength, packet.timeUs);
  }
  reader.close();
  flows.push(...flowsOf(meter.exportAll(NO_LOSS)));
  return flows;
}

interface Sum {
  parts: number;
  packets: number;
  bytes: number;
  startUs: number;
  endUs: number;
  outcome: string;
}

/** What the parts of each five-tuple add up to; the outcome is that of the first part. */
function sums(flows: readonly FlowRecord[]): Map<string, Sum> {
  const found = new Map<string, Sum>();
  for (const { protocol, originator, responder, startUs, endUs, outcome, vlan, icmp } of flows) {
    const ends = `${originator.address} ${originator.port} ${responder.address} ${responder.port}`;
    const key = `${protocol} ${ends} ${vlan} ${icmp?.type}`;
    const sum = found.get(key) ?? { parts: 0, packets: 0, bytes: 0, startUs, endUs, outcome };
    sum.parts++;
    sum.packets += originator.packets + responder.packets;
    sum.bytes += originator.bytes + responder.bytes;
    sum.endUs = Math.max(sum.endUs, endUs);
    found.set(key, sum);
  }
  return found;
}

test("flows told in parts add up to the flows told at their end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-parts-"));
  try {
    const path = join(folder, "made.pcap");
    generateCapture(path, { ...USUAL_TRAFFIC, packets: 40_000 });
    const whole = sums(await read(path));
    // No flow is cut while it is unanswered, as an answer that comes later would be told as midstream.
    const parts = sums(await read(path, { decidedUs: 1000, undecidedUs: 1e12, laterUs: 20_000 }, 10_000));
    assert.equal(parts.size, whole.size);
    let cut = 0;
    for (const [key, sum] of whole) {
      const other = parts.get(key) as Sum;
      if (other.parts > sum.parts) cut++;
      assert.deepEqual({ ...other, parts: 0 }, { ...sum, parts: 0 }, key);
    }
    assert.ok(cut > 100, `${cut} flows were cut`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("only the first part of a flow has its outcome, and a part spans its own packets", async () => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-parts-"));
  try {
    const path = join(folder, "made.pcap");
    generateCapture(path, { ...USUAL_TRAFFIC, packets: 20_000, clients: 50_000 });
    const lastEnd = new Map<string, number>();
    for (const flow of await read(path, { decidedUs: 1000, undecidedUs: 1e12, laterUs: 1000 }, 5000)) {
      if (flow.protocol !== 6) continue;
      const key = `${flow.originator.address} ${flow.originator.port} ${flow.responder.address}`;
      const before = lastEnd.get(key);
      assert.equal(flow.outcome === "midstream", before !== undefined);
      if (before !== undefined) assert.ok(flow.startUs > before);
      lastEnd.set(key, flow.endUs);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
