import type { StampedBy } from "../carrier.js";
import { CompressionError, decompress } from "./compression.js";
import { crc32c } from "./crc32c.js";

/** One record as it stood in the log. */
export interface LogRecord {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly stampedBy: StampedBy;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** One batch of a fetched record set: its records, or why they cannot be read, with the bytes as they came. */
export interface ReadBatch {
  readonly first: bigint;
  readonly last: bigint;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly content:
    | { readonly kind: "records"; readonly records: readonly LogRecord[] }
    | { readonly kind: "unreadable"; readonly code: string; readonly why: string; readonly bytes: Buffer };
}

export interface BatchBounds {
  readonly mostBytes: number; // of one batch, decompressed
  readonly mostRecords: number; // of one batch
  readonly mostBytesInSet: number; // after which the rest is left for the next fetch
}

export const BATCH_BOUNDS: BatchBounds = {
  mostBytes: 16 * 1024 * 1024,
  mostRecords: 50_000,
  mostBytesInSet: 32 * 1024 * 1024,
};

const HEADER_BYTES = 61;
const MAGIC = 2;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** A fault in the bytes of a batch. */
class Fault extends Error {}

/** Reads the varints and byte strings of records; nothing is read past the end. */
class RecordReader {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  /** A zigzag varint as a whole number; 64-bit ones must fit a double. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Fault("a number leaves its batch");
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new Fault("a number is beyond reason");
  }

  take(length: number): Buffer {
    if (length < 0 || this.at + length > this.bytes.length) throw new Fault("a field leaves its batch");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  optional(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.take(length);
  }
}

function readRecord(reader: RecordReader, first: bigint, firstTimeMs: number, appendTimeMs?: number): LogRecord {
  const length = reader.varint();
  const end = reader.at + length;
  if (length < 6 || end > reader.bytes.length) throw new Fault("a record leaves its batch");
  reader.at++; // attributes, unused
  const deltaMs = reader.varint(); // there whichever clock counts
  const timestampMs = appendTimeMs ?? firstTimeMs + deltaMs;
  const stampedBy = appendTimeMs === undefined ? "sender" : "carrier";
  const offset = first + BigInt(reader.varint());
  const key = reader.optional();
  const value = reader.optional();
  const headers: Record<string, string> = {};
  const count = reader.varint();
  if (count < 0 || count > length) throw new Fault("a record claims more headers than it has bytes");
  for (let i = 0; i < count; i++) {
    const name = reader.take(reader.varint()).toString();
    headers[name] = reader.optional()?.toString() ?? "";
  }
  if (reader.at !== end) throw new Fault("a record is not as long as it says");
  return { offset, timestampMs, stampedBy, key, value, headers };
}

function readRecords(batch: Buffer, first: bigint, attributes: number, bounds: BatchBounds) {
  if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) throw new Fault("its checksum does not fit");
  const count = batch.readInt32BE(57);
  if (count < 0 || count > bounds.mostRecords) throw new Fault(`it claims ${count} records`);
  const codec = attributes & 7;
  const body = batch.subarray(HEADER_BYTES);
  const plain = codec === 0 ? body : decompress(codec, body, bounds.mostBytes);
  const reader = new RecordReader(Buffer.from(plain.buffer, plain.byteOffset, plain.length));
  const firstTimeMs = Number(batch.readBigInt64BE(27));
  const appendTimeMs = (attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(batch.readBigInt64BE(35));
  const records = Array.from({ length: count }, () => readRecord(reader, first, firstTimeMs, appendTimeMs));
  return { records, size: plain.length };
}

/**
 * Reads the record set of one partition out of a fetch response. A batch that cannot be read, for whatever reason, is
 * told as such with the offsets it spans, so that a reader can put it aside and go on behind it. A last batch that is
 * cut off is left out: the broker sends it whole the next time.
 *
 *     batch   first offset: 8, length of what follows: 4, leader epoch: 4, magic: 1, CRC-32C of what follows: 4,
 *             attributes: 2, last offset delta: 4, first timestamp: 8, max timestamp: 8, producer id: 8, producer
 *             epoch: 2, first sequence: 4, records: 4, then the records, compressed as the attributes say
 */
export function readRecordSet(set: Buffer, bounds: BatchBounds = BATCH_BOUNDS): ReadBatch[] {
  const batches: ReadBatch[] = [];
  let taken = 0;
  for (let at = 0; at + 12 <= set.length && taken < bounds.mostBytesInSet; ) {
    const first = set.readBigInt64BE(at);
    const length = set.readInt32BE(at + 8);
    if (length < 0 || at + 12 + length > set.length) break;
    const batch = set.subarray(at, at + 12 + length);
    at += batch.length;
    const isReadable = batch.length >= HEADER_BYTES && batch[16] === MAGIC;
    const attributes = isReadable ? batch.readInt16BE(21) : 0;
    const about = {
      first,
      last: isReadable ? first + BigInt(Math.max(0, batch.readInt32BE(23))) : first,
      producerId: isReadable ? batch.readBigInt64BE(43) : -1n,
      isTransactional: (attributes & TRANSACTIONAL) !== 0,
      isControl: (attributes & CONTROL) !== 0,
    };
    try {
      if (!isReadable) throw new Fault("it is not of format 2");
      const { records, size } = readRecords(batch, first, attributes, bounds);
      taken += size;
      batches.push({ ...about, content: { kind: "records", records } });
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof CompressionError)) throw error;
      const code = error instanceof CompressionError ? error.code : "corrupt-batch";
      const why = error instanceof CompressionError ? error.message : `Cannot read record batch: ${error.message}`;
      batches.push({ ...about, content: { kind: "unreadable", code, why, bytes: batch } });
    }
  }
  return batches;
}
