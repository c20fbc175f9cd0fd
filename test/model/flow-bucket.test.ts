import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { bucketOfFlow } from "../../model/flow-bucket.js";

const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
const port = fc.nat(65535);

test("both directions of a flow have one bucket, whatever stands behind an IPv4 address", () => {
  fc.assert(
    fc.property(
      address,
      address,
      port,
      port,
      fc.constantFrom(4, 6),
      fc.nat(255),
      fc.integer({ min: 1, max: 64 }),
      (bytesA, bytesB, portA, portB, family, protocol, buckets) => {
        const a = { bytes: bytesA, at: 0, port: portA };
        const b = { bytes: bytesB, at: 0, port: portB };
        const bucket = bucketOfFlow(protocol, family, a, b, buckets);
        assert.ok(bucket >= 0 && bucket < buckets);
        assert.equal(bucketOfFlow(protocol, family, b, a, buckets), bucket);
        if (family === 4) {
          const alone = { bytes: Uint8Array.from([9, ...bytesA.subarray(0, 4)]), at: 1, port: portA };
          assert.equal(bucketOfFlow(protocol, family, alone, b, buckets), bucket);
        }
      },
    ),
  );
});

test("the bucket of a flow is a contract that must not change", () => {
  const end = (bytes: readonly number[], endPort: number) => ({ bytes: Uint8Array.from(bytes), at: 0, port: endPort });
  assert.equal(bucketOfFlow(6, 4, end([10, 0, 0, 1], 40000), end([10, 0, 0, 2], 443), 1024), 213);
});

test("flows of one client to one server spread over the buckets", () => {
  const counts = new Array<number>(8).fill(0);
  for (let clientPort = 1024; clientPort < 9024; clientPort++) {
    const client = { bytes: Uint8Array.from([10, 0, 0, 1]), at: 0, port: clientPort };
    const server = { bytes: Uint8Array.from([10, 0, 0, 2]), at: 0, port: 443 };
    const bucket = bucketOfFlow(6, 4, client, server, 8);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 800 && count < 1200, counts.join(" "));
});
