import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compress, decompress } from "../../../stream/kafka/compression.js";
import { readLz4Frame, TooLarge } from "../../../stream/kafka/lz4-frame.js";

/** Bytes with repeats, some longer than a block, as compressors like them. */
const text = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 9000 })), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.flatMap(([part, times]) => Array<Uint8Array>(times).fill(part))));

test("readLz4Frame() gives back what the native codec compressed", () => {
  fc.assert(
    fc.property(text, (bytes) => {
      assert.equal(Buffer.compare(readLz4Frame(compress("lz4", bytes), bytes.length), bytes), 0);
    }),
    { numRuns: 100 },
  );
});

test("readLz4Frame() gives out no byte more than it may", () => {
  const bomb = compress("lz4", Buffer.alloc(50_000_000));
  assert.ok(bomb.length < 250_000);
  assert.throws(() => readLz4Frame(bomb, 1_000_000), TooLarge);
  fc.assert(
    fc.property(text, fc.nat(), (bytes, bound) => {
      const most = bound % (bytes.length + 1);
      if (most === bytes.length) return;
      assert.throws(() => readLz4Frame(compress("lz4", bytes), most), TooLarge);
    }),
    { numRuns: 100 },
  );
});

test("readLz4Frame() answers damaged frames with bytes within the bound, a RangeError or TooLarge, and nothing else", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(text, edits, fc.nat(), (bytes, changes, cut) => {
      const frame = compress("lz4", bytes);
      for (const [at, value] of changes) frame[at % frame.length] = value;
      try {
        const out = readLz4Frame(frame.subarray(0, frame.length - (cut % 3)), 100_000);
        assert.ok(out.length <= 100_000);
      } catch (error) {
        assert.ok(error instanceof RangeError || error instanceof TooLarge, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

for (const [codec, number] of [
  ["gzip", 1],
  ["lz4", 3],
] as const) {
  test(`decompress() bounds ${codec} and says which way it failed`, () => {
    const bomb = compress(codec, Buffer.alloc(5_000_000));
    assert.equal(decompress(number, bomb, 5_000_000).length, 5_000_000);
    assert.throws(() => decompress(number, bomb, 4_999_999), { code: "too-large-inside" });
    assert.throws(() => decompress(number, Buffer.from("no such thing"), 100), { code: "corrupt-compression" });
  });
}

test("decompress() names a codec that nothing of ours writes", () => {
  assert.throws(() => decompress(2, Buffer.alloc(4), 100), { code: "unknown-compression", message: /snappy/ });
});
