import assert from "node:assert/strict";
import test from "node:test";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { FLOW_BATCH_VERSION, type FlowBatch } from "../../model/flow-batch.js";
import { decodeFlowBatch, encodeFlowBatch, FlowBatchError } from "../../model/flow-batch-codec.js";
import { EVIDENCE, NAME_SOURCES, OUTCOMES } from "../../model/flow-record.js";

const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 65535 });
const counter = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 52 }));

/** Any batch that a collector could make: 0 to 40 rows over small dictionaries. */
const flowBatch: fc.Arbitrary<FlowBatch> = fc
  .record({
    families: fc.array(fc.constantFrom(4, 6), { minLength: 1, maxLength: 6 }),
    scopes: fc.uniqueArray(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    names: fc.array(fc.string({ maxLength: 20, unit: "grapheme" }), { minLength: 1, maxLength: 4 }),
    rows: fc.array(
      fc.record({
        small: fc.array(u8, { minLength: 8, maxLength: 8 }),
        ports: fc.array(u16, { minLength: 3, maxLength: 3 }),
        counters: fc.array(counter, { minLength: 4, maxLength: 4 }),
        start: fc.integer({ min: 1_600_000_000_000_000, max: 1_900_000_000_000_000 }),
        length: fc.integer({ min: 0, max: 2 ** 40 }),
        names: fc.array(u8, { maxLength: 3 }),
      }),
      { maxLength: 40 },
    ),
    dropped: fc.oneof(fc.nat(), fc.constant("unknown" as const)),
  })
  .map(({ families, scopes, names, rows, dropped }) => {
    const at = (row: number, k: number) => rows[row]?.small[k] ?? 0;
    const bytes = (k: number, modulo: number) => Uint8Array.from(rows, (_, r) => at(r, k) % modulo);
    const picks = (k: number, modulo: number) => Uint32Array.from(rows, (_, r) => at(r, k) % modulo);
    const ports = (k: number) => Uint16Array.from(rows, (row) => row.ports[k] ?? 0);
    const counters = (k: number) => Float64Array.from(rows, (row) => row.counters[k] ?? 0);
    const nameIds = rows.flatMap((row) => row.names);
    const nameOffsets = new Uint32Array(rows.length + 1);
    for (const [r, row] of rows.entries()) nameOffsets[r + 1] = (nameOffsets[r] as number) + row.names.length;
    const addressBytes = new Uint8Array(families.length * 16);
    for (const [i, family] of families.entries()) addressBytes.fill(i + 1, i * 16, i * 16 + (family === 4 ? 4 : 16));
    return {
      version: FLOW_BATCH_VERSION,
      origin: { collector: "host-a", boot: "b1", sequence: rows.length, bucket: 3 },
      loss: { dropped },
      length: rows.length,
      addressFamily: Uint8Array.from(families),
      addressBytes,
      protocol: bytes(0, 256),
      originatorAddress: picks(1, families.length),
      responderAddress: picks(2, families.length),
      originatorPort: ports(0),
      responderPort: ports(1),
      originatorPackets: counters(0),
      responderPackets: counters(1),
      originatorBytes: counters(2),
      responderBytes: counters(3),
      originatorTcpFlags: bytes(3, 256),
      responderTcpFlags: bytes(4, 256),
      startUs: Float64Array.from(rows, (row) => row.start),
      endUs: Float64Array.from(rows, (row) => row.start + row.length),
      outcome: bytes(5, OUTCOMES.length),
      evidence: bytes(6, EVIDENCE.length),
      icmp: ports(2),
      depth: bytes(7, 4),
      scope: picks(7, scopes.length),
      scopes,
      nameOffsets,
      nameIds: Uint32Array.from(nameIds, (id) => id % names.length),
      nameSources: Uint8Array.from(nameIds, (id) => id % NAME_SOURCES.length),
      names,
    };
  });

/** The batch without its dictionaries, whose order and spare entries mean nothing: what they say stands in the rows. */
function meaning(batch: FlowBatch): object {
  const { addressFamily, addressBytes, originatorAddress, responderAddress, ...rest } = batch;
  const { nameOffsets, nameIds, nameSources, names, ...columns } = rest;
  const address = (i: number) => `${addressFamily[i]}:${addressBytes.subarray(16 * i, 16 * i + 16)}`;
  const rowNames = Array.from({ length: batch.length }, (_, row) =>
    Array.from({ length: nameOffsets[row + 1]! - nameOffsets[row]! }, (_, i) => {
      const at = nameOffsets[row]! + i;
      return [NAME_SOURCES[nameSources[at]!], names[nameIds[at]!]];
    }),
  );
  const originators = Array.from(originatorAddress, address);
  return { ...columns, originators, responders: Array.from(responderAddress, address), rowNames };
}

test("decodeFlowBatch() gives back everything that encodeFlowBatch() was given, rows in order of time or not", () => {
  fc.assert(
    fc.property(flowBatch, (batch) => {
      assert.deepEqual(meaning(decodeFlowBatch(encodeFlowBatch(batch))), meaning(batch));
      const { startUs, endUs } = batch;
      const lengths = endUs.map((end, i) => end - startUs[i]!);
      const inOrder = { ...batch, startUs: startUs.slice().sort() };
      const ordered = { ...inOrder, endUs: inOrder.startUs.map((start, i) => start + lengths[i]!) };
      assert.deepEqual(meaning(decodeFlowBatch(encodeFlowBatch(ordered))), meaning(ordered));
    }),
    { numRuns: 300 },
  );
});

test("any Arrow reader opens a flow batch and finds its columns by name", () => {
  fc.assert(
    fc.property(flowBatch, (batch) => {
      const table = tableFromIPC(encodeFlowBatch(batch));
      assert.equal(table.numRows, batch.length);
      assert.equal(table.schema.metadata.get("portolan.collector"), batch.origin.collector);
      assert.deepEqual(
        Array.from(table.getChild("originator_port")?.toArray() ?? []),
        Array.from(batch.originatorPort),
      );
      const scopes = Array.from({ length: batch.length }, (_, row) => table.getChild("scope")?.get(row));
      assert.deepEqual(
        scopes,
        Array.from(batch.scope, (scope) => batch.scopes[scope]),
      );
    }),
    { numRuns: 100 },
  );
});

test("decodeFlowBatch() answers bytes that were cut short with a FlowBatchError", () => {
  fc.assert(
    fc.property(flowBatch, fc.nat(), (batch, cut) => {
      const bytes = encodeFlowBatch(batch);
      assert.throws(() => decodeFlowBatch(bytes.subarray(0, cut % (bytes.length - 8))), FlowBatchError);
    }),
    { numRuns: 1000 },
  );
});

test("decodeFlowBatch() answers damaged bytes with a FlowBatchError or a batch, and nothing else", () => {
  const edit = fc.tuple(fc.nat(), u8);
  fc.assert(
    fc.property(flowBatch, fc.array(edit, { minLength: 1, maxLength: 6 }), (batch, edits) => {
      const bytes = encodeFlowBatch(batch);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      try {
        decodeFlowBatch(bytes);
      } catch (error) {
        assert.ok(error instanceof FlowBatchError, String((error as Error).stack));
      }
    }),
    { numRuns: 1000 },
  );
});

test("decodeFlowBatch() answers every single changed byte of its metadata at once, with a FlowBatchError or a batch", () => {
  // A changed length once had the reader count to a billion, and a changed type had it trip over a column it does not know.
  const [sample] = fc.sample(flowBatch, { numRuns: 1, seed: 1 });
  const bytes = encodeFlowBatch(sample as FlowBatch);
  const damaged = Uint8Array.from(bytes);
  for (let at = 0; at < Math.min(bytes.length, 4000); at++) {
    for (const value of [1, 14, 24, 0x7f]) {
      damaged[at] = value;
      try {
        decodeFlowBatch(damaged);
      } catch (error) {
        assert.ok(error instanceof FlowBatchError, `byte ${at} = ${value}: ${String((error as Error).stack)}`);
      }
    }
    damaged[at] = bytes[at] as number;
  }
});

test("decodeFlowBatch() names what it was given instead of a batch", () => {
  assert.throws(() => decodeFlowBatch(new Uint8Array()), { code: "not-arrow" });
  assert.throws(() => decodeFlowBatch(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")), FlowBatchError);
});

test("decodeFlowBatch() refuses what little of it would make much: rows and names without end", () => {
  const [sample] = fc.sample(flowBatch, { numRuns: 1, seed: 1 });
  const many = 200_000;
  const zeros = { u8: new Uint8Array(many), u16: new Uint16Array(many), u32: new Uint32Array(many) };
  const f64 = new Float64Array(many).fill(1);
  const batch: FlowBatch = {
    ...(sample as FlowBatch),
    length: many,
    protocol: zeros.u8,
    originatorAddress: zeros.u32,
    responderAddress: zeros.u32,
    originatorPort: zeros.u16,
    responderPort: zeros.u16,
    originatorPackets: f64,
    responderPackets: f64,
    originatorBytes: f64,
    responderBytes: f64,
    originatorTcpFlags: zeros.u8,
    responderTcpFlags: zeros.u8,
    startUs: f64,
    endUs: f64,
    outcome: zeros.u8,
    evidence: zeros.u8,
    icmp: zeros.u16,
    depth: zeros.u8,
    scope: zeros.u32,
    nameOffsets: new Uint32Array(many + 1),
    nameIds: new Uint32Array(0),
    nameSources: new Uint8Array(0),
    names: [],
  };
  assert.throws(() => decodeFlowBatch(encodeFlowBatch(batch)), { code: "corrupt", message: /200000 rows/ });
  const rows = 20_000;
  const names = 100;
  const named: FlowBatch = {
    ...batch,
    ...Object.fromEntries(
      Object.entries(batch).flatMap(([key, value]) =>
        ArrayBuffer.isView(value) ? [[key, (value as Uint8Array).slice(0, rows)]] : [],
      ),
    ),
    length: rows,
    addressFamily: Uint8Array.of(4),
    addressBytes: new Uint8Array(16),
    nameOffsets: Uint32Array.from({ length: rows + 1 }, (_, i) => i * names),
    nameIds: new Uint32Array(rows * names),
    nameSources: new Uint8Array(rows * names),
    names: ["a"],
  };
  assert.throws(() => decodeFlowBatch(encodeFlowBatch(named)), { code: "corrupt", message: /2000000 names/ });
});
