/** Schema version of a flow batch; raised when a column changes meaning. */
export const FLOW_BATCH_VERSION = 2;

/** The highest sequence number: it is kept with every row of the batch. */
export const LAST_SEQUENCE = 0xffffffff;

/** Who sent a batch: together with `sequence` this names it for ever. */
export interface BatchOrigin {
  readonly collector: string; // stable per installation, e.g. the host name
  readonly boot: string; // new at each start of the collector
  readonly sequence: number; // 0, 1, 2 ... within one boot and one bucket; a hole is a lost batch
  readonly bucket: number; // 0 .. buckets-1, see bucketOfFlow; the key of the batch
}

/** Packets that the collector knows or fears it did not see in the span of this batch. */
export interface CaptureLoss {
  readonly dropped: number | "unknown"; // by kernel and interface; "unknown" where the source cannot tell
}

/**
 * Flow records by column, `length` rows each. Addresses and texts are dictionary-coded: rows hold
 * an index, so equal addresses cost one entry a batch.
 *
 *     addressBytes  | 16 B | 16 B | ...   IPv4 in the first 4 bytes, the rest zero
 *     addressFamily |  4   |  6   | ...
 *     nameOffsets   row r has names nameIds[nameOffsets[r] .. nameOffsets[r+1])
 */
export interface FlowBatch {
  readonly version: typeof FLOW_BATCH_VERSION;
  readonly origin: BatchOrigin;
  readonly loss: CaptureLoss;
  readonly length: number;
  readonly addressFamily: Uint8Array; // 4 | 6, one per dictionary entry
  readonly addressBytes: Uint8Array; // 16 per dictionary entry, network order
  readonly protocol: Uint8Array;
  readonly originatorAddress: Uint32Array; // index into the address dictionary
  readonly responderAddress: Uint32Array;
  readonly originatorPort: Uint16Array;
  readonly responderPort: Uint16Array;
  readonly originatorPackets: Float64Array;
  readonly responderPackets: Float64Array;
  readonly originatorBytes: Float64Array;
  readonly responderBytes: Float64Array;
  readonly originatorTcpFlags: Uint8Array;
  readonly responderTcpFlags: Uint8Array;
  readonly startUs: Float64Array;
  readonly endUs: Float64Array;
  readonly outcome: Uint8Array; // index into OUTCOMES
  readonly evidence: Uint8Array; // index into EVIDENCE
  readonly icmp: Uint16Array; // type << 8 | code; 0xffff where it is not ICMP
  readonly depth: Uint8Array;
  readonly scope: Uint32Array; // index into scopes
  readonly scopes: readonly string[]; // canonical text of VLAN and tunnel, see flow-scope.ts; "" is none
  readonly nameOffsets: Uint32Array; // length + 1
  readonly nameIds: Uint32Array; // index into names
  readonly nameSources: Uint8Array; // index into NAME_SOURCES, parallel to nameIds
  readonly names: readonly string[];
}
