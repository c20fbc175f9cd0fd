import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compress } from "../../../stream/kafka/compression.js";
import { crc32c } from "../../../stream/kafka/crc32c.js";
import { type BatchBounds, readRecordSet } from "../../../stream/kafka/record-batch.js";

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
const sized = (bytes: Uint8Array) => Buffer.concat([varint(bytes.length), bytes]);

interface TestRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly header: string;
}

function record(delta: number, { key, value, header }: TestRecord): Buffer {
  const parts = [Buffer.of(0), varint(delta), varint(delta), sized(Buffer.from(key)), sized(value), varint(1)];
  return sized(Buffer.concat([...parts, sized(Buffer.from("h")), sized(Buffer.from(header))]));
}

/** A batch as a broker keeps it. */
function batch(first: number, records: readonly TestRecord[], attributes = 0, body?: Buffer): Buffer {
  const plain = Buffer.concat(records.map((each, i) => record(i, each)));
  const whole = Buffer.concat([Buffer.alloc(61), body ?? plain]);
  whole.writeBigInt64BE(BigInt(first), 0);
  whole.writeInt32BE(whole.length - 12, 8);
  whole.writeInt8(2, 16);
  whole.writeInt16BE(attributes, 21);
  whole.writeInt32BE(records.length - 1, 23);
  whole.writeBigInt64BE(1000n, 27);
  whole.writeBigInt64BE(5000n, 35);
  whole.writeBigInt64BE(-1n, 43);
  whole.writeInt32BE(records.length, 57);
  whole.writeUInt32BE(crc32c(whole.subarray(21)), 17);
  return whole;
}

const testRecord = fc.record({ key: fc.string({ maxLength: 9 }), value: fc.uint8Array(), header: fc.string() });
const some = fc.array(testRecord, { minLength: 1, maxLength: 6 });
const PLAIN: TestRecord = { key: "k", value: Buffer.from("v"), header: "x" };

/** Offset and value of all records, or the code of an unreadable batch with its span. */
function told(set: Buffer, bounds?: BatchBounds): string[] {
  return readRecordSet(set, bounds).flatMap(({ first, last, content }) =>
    content.kind === "records"
      ? content.records.map(({ offset, value }) => `${offset}=${value}`)
      : [`${first}..${last} ${content.code}`],
  );
}

test("crc32c() agrees with the published check value", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("readRecordSet() gives back records with offset, time, key, value and headers, compressed or not", () => {
  fc.assert(
    fc.property(some, fc.constantFrom(0, 3), (records, codec) => {
      const plain = Buffer.concat(records.map((each, i) => record(i, each)));
      const [read] = readRecordSet(batch(40, records, codec, codec === 0 ? plain : compress("lz4", plain)));
      assert.equal(read?.content.kind, "records");
      assert.deepEqual(
        read?.content.kind === "records"
          ? read.content.records.map((each) => ({ ...each, value: [...(each.value ?? [])] }))
          : [],
        records.map(({ key, value, header }, i) => ({
          offset: BigInt(40 + i),
          timestampMs: 1000 + i,
          stampedBy: "sender",
          key: Buffer.from(key),
          value: [...value],
          headers: { h: Buffer.from(header).toString() },
        })),
      );
    }),
  );
});

test("readRecordSet() takes the broker's time where the topic says so", () => {
  const [read] = readRecordSet(batch(0, [PLAIN, PLAIN], 0x08));
  assert.deepEqual(
    read?.content.kind === "records" &&
      read.content.records.map(({ timestampMs, stampedBy }) => [timestampMs, stampedBy]),
    [
      [5000, "carrier"],
      [5000, "carrier"],
    ],
  );
});

test("readRecordSet() tells an unreadable batch with the offsets it spans, and reads on behind it", () => {
  const good = batch(0, [PLAIN]);
  const damaged = batch(1, [PLAIN, PLAIN, PLAIN]);
  damaged[damaged.length - 1]! ^= 1;
  const snappy = batch(4, [PLAIN], 2);
  const noLz4 = batch(5, [PLAIN], 3);
  const bomb = batch(6, [PLAIN], 3, compress("lz4", Buffer.alloc(40_000_000)));
  const old = batch(7, [PLAIN]);
  old.writeInt8(1, 16);
  const set = Buffer.concat([good, damaged, snappy, noLz4, bomb, old, batch(8, [PLAIN])]);
  assert.deepEqual(told(set), [
    "0=v",
    "1..3 corrupt-batch",
    "4..4 unknown-compression",
    "5..5 corrupt-compression",
    "6..6 too-large-inside",
    "7..7 corrupt-batch",
    "8=v",
  ]);
});

test("readRecordSet() refuses a count of records that its bytes cannot hold, before it makes room for them", () => {
  const many = batch(0, [PLAIN]);
  many.writeInt32BE(0x7fffffff, 57);
  many.writeUInt32BE(crc32c(many.subarray(21)), 17);
  assert.deepEqual(told(many), ["0..0 corrupt-batch"]);
});

test("readRecordSet() leaves a cut-off batch, and what is over the bound of a set, for the next fetch", () => {
  const set = Buffer.concat([batch(0, [PLAIN]), batch(1, [PLAIN])]);
  assert.deepEqual(told(set.subarray(0, set.length - 1)), ["0=v"]);
  assert.deepEqual(told(set, { mostBytes: 1000, mostRecords: 10, mostBytesInSet: 1 }), ["0=v"]);
});

test("readRecordSet() answers damaged bytes with batches, readable or not, and never throws", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(some, edits, fc.boolean(), (records, changes, isSealed) => {
      const bytes = batch(7, records);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      // With its checksum made right again, what is inside is all that can be wrong.
      if (isSealed) bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
      assert.ok(Array.isArray(readRecordSet(bytes)));
    }),
    { numRuns: 5000 },
  );
});
