/**
 * Checks the frame of an Arrow IPC stream before a reader that trusts it may see it: a few changed bytes in a
 * vector's length make a trusting reader fill the memory. Only what our batches use is accepted.
 *
 *     stream    message* 0xffffffff 0
 *     message   0xffffffff, metadata size (int32), metadata (flatbuffer), body
 *     metadata  Message { version, header type, header, body length, more metadata } of format/Message.fbs, where the header
 *               is Schema, DictionaryBatch or RecordBatch of format/Schema.fbs and format/Message.fbs
 *
 * Source of the layouts: the Arrow columnar format specification, "Serialization and Interprocess Communication".
 */
const CONTINUATION = 0xffffffff;
const SCHEMA = 1;
const DICTIONARY_BATCH = 2;
const RECORD_BATCH = 3;

/** More than any batch of ours has, few enough to walk in no time. */
const MOST_FIELDS = 64;
const MOST_MESSAGES = 64;
const DEEPEST_FIELD = 4;

/** Types that a batch of ours has, as format/Schema.fbs numbers them: Int, FloatingPoint, Binary, Utf8. */
const TYPES = new Set([2, 3, 4, 5]);

class Fault extends Error {}

function need(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Fault(what);
}

/** One flatbuffer, read with every offset held against its end. */
class Metadata {
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private bytesAt(at: number, size: number): number {
    need(
      Number.isSafeInteger(at) && at >= 0 && size >= 0 && at + size <= this.view.byteLength,
      "an offset leaves its message",
    );
    return at;
  }

  u8(at: number): number {
    return this.view.getUint8(this.bytesAt(at, 1));
  }

  u16(at: number): number {
    return this.view.getUint16(this.bytesAt(at, 2), true);
  }

  u32(at: number): number {
    return this.view.getUint32(this.bytesAt(at, 4), true);
  }

  /** A count or length; the format's 64 bits must hold a whole number that a double can. */
  i64(at: number): number {
    const value = Number(this.view.getBigInt64(this.bytesAt(at, 8), true));
    need(Number.isSafeInteger(value) && value >= 0, "a length is negative or beyond reason");
    return value;
  }

  /** Follows a relative offset; offsets in a flatbuffer only ever lead forward. */
  follow(at: number): number {
    const offset = this.u32(at);
    need(offset > 0, "an offset leads nowhere");
    return this.bytesAt(at + offset, 4);
  }

  /** Position of field `index` of the table at `table`, or undefined where the table leaves it out. */
  field(table: number, index: number): number | undefined {
    const vtable = table - this.view.getInt32(this.bytesAt(table, 4), true);
    const size = this.u16(this.bytesAt(vtable, 4));
    need(size >= 4 && size % 2 === 0, "a table's layout has an odd size");
    this.bytesAt(vtable, size);
    if (4 + 2 * index + 2 > size) return undefined;
    const offset = this.u16(vtable + 4 + 2 * index);
    return offset === 0 ? undefined : this.bytesAt(table + offset, 1);
  }

  /** Position of the first element and the count of a vector whose elements have `size` bytes. */
  vector(at: number, size: number): { first: number; count: number } {
    const vector = this.follow(at);
    const count = this.u32(vector);
    this.bytesAt(vector + 4, count * size);
    return { first: vector + 4, count };
  }
}

function checkText(metadata: Metadata, at: number | undefined): void {
  if (at !== undefined) metadata.vector(at, 1);
}

function checkKeyValues(metadata: Metadata, at: number | undefined): void {
  if (at === undefined) return;
  const { first, count } = metadata.vector(at, 4);
  need(count <= MOST_FIELDS, "there are too many metadata entries");
  for (let i = 0; i < count; i++) {
    const entry = metadata.follow(first + 4 * i);
    checkText(metadata, metadata.field(entry, 0));
    checkText(metadata, metadata.field(entry, 1));
  }
}

function checkFields(metadata: Metadata, at: number | undefined, depth: number, seen: { count: number }): void {
  if (at === undefined) return;
  need(depth <= DEEPEST_FIELD, "fields are nested too deep");
  const { first, count } = metadata.vector(at, 4);
  seen.count += count;
  need(seen.count <= MOST_FIELDS, "there are too many fields");
  for (let i = 0; i < count; i++) {
    const field = metadata.follow(first + 4 * i);
    checkText(metadata, metadata.field(field, 0));
    const kind = metadata.field(field, 2);
    need(kind !== undefined && TYPES.has(metadata.u8(kind)), "a column's type is none of a batch's");
    const type = metadata.field(field, 3);
    if (type !== undefined) metadata.field(metadata.follow(type), 0);
    const dictionary = metadata.field(field, 4);
    if (dictionary !== undefined) metadata.field(metadata.follow(dictionary), 0);
    checkFields(metadata, metadata.field(field, 5), depth + 1, seen);
    checkKeyValues(metadata, metadata.field(field, 6));
  }
}

/** Every buffer lies in the body, and no column claims more values than the body has bits. */
function checkRecordBatch(metadata: Metadata, table: number, bodyLength: number): void {
  need(metadata.field(table, 3) === undefined, "the body is compressed, which the message around it should be");
  need(metadata.field(table, 4) === undefined, "a column has buffers of its own choice");
  const length = metadata.field(table, 0);
  need((length === undefined ? 0 : metadata.i64(length)) <= 8 * bodyLength, "it claims more rows than its body holds");
  const nodes = metadata.field(table, 1);
  if (nodes !== undefined) {
    const { first, count } = metadata.vector(nodes, 16);
    need(count <= MOST_FIELDS, "there are too many columns");
    for (let i = 0; i < count; i++) {
      need(metadata.i64(first + 16 * i) <= 8 * bodyLength, "a column claims more values than the body holds");
      metadata.i64(first + 16 * i + 8);
    }
  }
  const buffers = metadata.field(table, 2);
  if (buffers === undefined) return;
  const { first, count } = metadata.vector(buffers, 16);
  need(count <= 3 * MOST_FIELDS, "there are too many buffers");
  for (let i = 0; i < count; i++) {
    const end = metadata.i64(first + 16 * i) + metadata.i64(first + 16 * i + 8);
    need(end <= bodyLength, "a buffer leaves the body");
  }
}

/** Checks one message's metadata and answers the length of the body behind it. */
function checkMessage(metadata: Metadata): number {
  const message = metadata.follow(0);
  const type = metadata.field(message, 1);
  const header = metadata.field(message, 2);
  const body = metadata.field(message, 3);
  need(type !== undefined && header !== undefined, "a message has no header");
  const bodyLength = body === undefined ? 0 : metadata.i64(body);
  checkKeyValues(metadata, metadata.field(message, 4));
  const table = metadata.follow(header);
  switch (metadata.u8(type)) {
    case SCHEMA:
      checkFields(metadata, metadata.field(table, 1), 0, { count: 0 });
      checkKeyValues(metadata, metadata.field(table, 2));
      break;
    case DICTIONARY_BATCH: {
      const data = metadata.field(table, 1);
      need(data !== undefined, "a dictionary has no values");
      checkRecordBatch(metadata, metadata.follow(data), bodyLength);
      break;
    }
    case RECORD_BATCH:
      checkRecordBatch(metadata, table, bodyLength);
      break;
    default:
      throw new Fault("a message is neither schema, dictionary nor record batch");
  }
  return bodyLength;
}

/** What is wrong with the frame of `bytes` as an Arrow IPC stream, in a few words; `undefined` if nothing is. */
export function arrowStreamFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  try {
    for (let messages = 0; messages < MOST_MESSAGES; messages++) {
      need(
        at + 8 <= bytes.length && view.getUint32(at, true) === CONTINUATION,
        "a message does not start where it should",
      );
      const size = view.getInt32(at + 4, true);
      at += 8;
      if (size === 0) {
        need(at === bytes.length, "bytes follow the end of the stream");
        return undefined;
      }
      need(size > 0 && at + size <= bytes.length, "a message ends after the bytes do");
      const bodyLength = checkMessage(new Metadata(bytes.subarray(at, at + size)));
      at += size + bodyLength;
      need(at <= bytes.length, "a body ends after the bytes do");
    }
    return "there are too many messages";
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}
