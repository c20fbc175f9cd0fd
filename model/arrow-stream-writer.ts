import { FlatWriter, type Ref, type Slot } from "./flat-writer.js";

/**
 * Writes an Arrow IPC stream of one record batch: a schema, the dictionaries, the rows. Any Arrow reader opens it. Our own,
 * because a batch of a thousand rows goes out in a fraction of the time that the library takes for its frame alone;
 * the library reads it back, here and in the tests.
 */
export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

export type ArrowDictionary = { readonly id: number } & (
  | { readonly kind: "binary"; readonly values: readonly Uint8Array[] }
  | { readonly kind: "utf8"; readonly values: readonly string[] }
);

/** A column without nulls: plain numbers, or indexes into a dictionary, which several columns may share. */
export interface ArrowColumn {
  readonly name: string;
  readonly values: Numbers;
  readonly dictionary?: ArrowDictionary;
}

const VERSION_5 = 4;
const HEADER = { schema: 1, dictionary: 2, rows: 3 } as const;
const TYPE = { int: 2, float: 3, binary: 4, utf8: 5 } as const;
const DOUBLE = 2;

const flat = new FlatWriter();
const whole = (value: number, size: 1 | 2 | 4 | 8): Slot => ({ value, size });

function intType(values: Numbers): Ref {
  return flat.table([whole(8 * values.BYTES_PER_ELEMENT, 4), whole(0, 1)]);
}

function field({ name, values, dictionary }: ArrowColumn): Ref {
  let kind: number;
  let type: Ref;
  if (dictionary !== undefined) {
    kind = TYPE[dictionary.kind];
    type = flat.table([]);
  } else if (values instanceof Float64Array) {
    kind = TYPE.float;
    type = flat.table([whole(DOUBLE, 2)]);
  } else {
    kind = TYPE.int;
    type = intType(values);
  }
  const encoding = dictionary && flat.table([whole(dictionary.id, 8), { ref: intType(values) }, whole(0, 1)]);
  const children = flat.refs([]);
  const text = flat.text(name);
  return flat.table([
    { ref: text },
    whole(0, 1), // not nullable
    whole(kind, 1),
    { ref: type },
    encoding === undefined ? undefined : { ref: encoding },
    { ref: children },
  ]);
}

function schema(columns: readonly ArrowColumn[], metadata: readonly (readonly [string, string])[]): Ref {
  const pairs = metadata.map(([key, value]) => {
    const keyRef = flat.text(key);
    return flat.table([{ ref: keyRef }, { ref: flat.text(value) }]);
  });
  const fields = flat.refs(columns.map(field));
  const custom = flat.refs(pairs);
  return flat.table([whole(0, 2), { ref: fields }, { ref: custom }]);
}

const padded = (length: number) => (length + 7) & ~7;

/** The parts of a stream, put together once their sum is known. */
class Stream {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  private add(part: Uint8Array): void {
    this.parts.push(part);
    this.length += padded(part.length);
  }

  message(kind: number, header: Ref, body: readonly Uint8Array[] = []): void {
    const bodyLength = body.reduce((sum, part) => sum + padded(part.length), 0);
    const slots: Slot[] = [whole(VERSION_5, 2), whole(kind, 1), { ref: header }, whole(bodyLength, 8)];
    const metadata = flat.finish(flat.table(slots));
    const framed = new Uint8Array(8 + metadata.length);
    const view = new DataView(framed.buffer);
    view.setUint32(0, 0xffffffff, true);
    view.setUint32(4, metadata.length, true);
    framed.set(metadata, 8);
    this.add(framed);
    for (const part of body) this.add(part);
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.length + 8);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += padded(part.length);
    }
    whole.set([0xff, 0xff, 0xff, 0xff], at);
    return whole;
  }
}

/** Header of a record batch whose columns have the given buffers, each with an empty one for nulls before. */
function rowsHeader(length: number, columns: readonly (readonly Uint8Array[])[]): Ref {
  let offset = 0;
  const places: [number, number][] = [];
  for (const buffers of columns) {
    places.push([offset, 0]);
    for (const { length: size } of buffers) {
      places.push([offset, size]);
      offset += padded(size);
    }
  }
  const nodes = flat.pairs(columns.map(() => [length, 0]));
  const buffers = flat.pairs(places);
  return flat.table([whole(length, 8), { ref: nodes }, { ref: buffers }]);
}

const bytesOf = (values: Numbers | Int32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const utf8 = new TextEncoder();

/** Offsets and bytes of the values, one behind the other. */
function dictionaryBuffers(dictionary: ArrowDictionary): Uint8Array[] {
  const { kind, values } = dictionary;
  const offsets = new Int32Array(values.length + 1);
  let most = 0;
  for (const value of values) most += kind === "utf8" ? 3 * value.length : value.length;
  const data = new Uint8Array(most);
  let end = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (typeof value === "string") {
      end += utf8.encodeInto(value, data.subarray(end)).written;
    } else {
      data.set(value, end);
      end += value.length;
    }
    offsets[i + 1] = end;
  }
  return [bytesOf(offsets), data.subarray(0, end)];
}

/** Not re-entrant, which nothing that runs to its end can notice. */
export function arrowStream(
  length: number,
  columns: readonly ArrowColumn[],
  metadata: readonly (readonly [string, string])[],
): Uint8Array {
  const stream = new Stream();
  stream.message(HEADER.schema, schema(columns, metadata));
  const dictionaries = new Map(columns.flatMap(({ dictionary }) => (dictionary ? [[dictionary.id, dictionary]] : [])));
  for (const dictionary of dictionaries.values()) {
    const buffers = dictionaryBuffers(dictionary);
    const header = rowsHeader(dictionary.values.length, [buffers]);
    stream.message(HEADER.dictionary, flat.table([whole(dictionary.id, 8), { ref: header }, whole(0, 1)]), buffers);
  }
  const body = columns.map(({ values }) => [bytesOf(values)]);
  stream.message(HEADER.rows, rowsHeader(length, body), body.flat());
  return stream.finish();
}
