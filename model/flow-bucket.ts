/**
 * How many buckets a collector that sends to a broker sorts its flows into. A contract like the hash below: all
 * collectors of one installation use the same number. More than partitions a topic usually has, few enough that the batches of
 * a quiet host are worth their frame.
 */
export const FLOW_BUCKETS = 8;

/** FNV-1a over the family, the address and the port of one end. */
function hashEnd(family: number, bytes: Uint8Array, at: number, port: number): number {
  let hash = Math.imul(0x811c9dc5 ^ family, 0x01000193);
  const length = family === 4 ? 4 : 16;
  for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (port >>> 8), 0x01000193);
  return Math.imul(hash ^ (port & 255), 0x01000193);
}

/** One end of a five-tuple; the address in network order at `bytes[at]`, 4 or 16 bytes of it. */
export interface BucketEnd {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly port: number;
}

/**
 * The bucket, 0 .. buckets-1, that a flow's record travels in. Both directions and every collector give the same one,
 * so that all observations of a flow meet; scope and time do not matter. A contract: changing it separates the
 * observations of collectors of different versions.
 */
export function bucketOfFlow(protocol: number, family: 4 | 6, a: BucketEnd, b: BucketEnd, buckets: number): number {
  // Sum and product are symmetric; together they keep pairs apart that share one of the two.
  const hashA = hashEnd(family, a.bytes, a.at, a.port);
  const hashB = hashEnd(family, b.bytes, b.at, b.port);
  let hash = Math.imul((hashA + hashB) ^ Math.imul(hashA | 1, hashB | 1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ protocol, 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % buckets;
}
