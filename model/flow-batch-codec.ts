import {
  Binary,
  type Data,
  Dictionary,
  Field,
  Float64,
  List,
  makeData,
  makeVector,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
  type Vector,
} from "apache-arrow";
import { arrowStreamFault } from "./arrow-stream-check.js";
import { FLOW_BATCH_VERSION, type FlowBatch, LAST_SEQUENCE } from "./flow-batch.js";
import { EVIDENCE, NAME_SOURCES, OUTCOMES } from "./flow-record.js";

/**
 * A flow batch as an Arrow IPC stream: one schema, its dictionaries, one record batch. Any Arrow reader opens it.
 *
 *     metadata   portolan.version, .collector, .boot, .sequence, .bucket, .dropped, .baseUs
 *     start      microseconds after baseUs          counters and times are Uint32 where all
 *     duration   microseconds after start           values of the batch fit, else Float64
 *     *_address  dictionary of Binary: 4 bytes IPv4, 16 bytes IPv6, network order; both columns share it
 *     names      list of { name: dictionary of Utf8, source }
 */
const ADDRESS_DICTIONARY = 0;
const SCOPE_DICTIONARY = 1;
const NAME_DICTIONARY = 2;

/** Bytes that are not a flow batch; `code` says in which way, for dead-letter queues. */
export class FlowBatchError extends Error {
  constructor(
    readonly code: "not-arrow" | "wrong-version" | "wrong-schema" | "corrupt",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "FlowBatchError";
  }
}

const addressType = new Dictionary(new Binary(), new Uint32(), ADDRESS_DICTIONARY);
const scopeType = new Dictionary(new Utf8(), new Uint32(), SCOPE_DICTIONARY);
const nameType = new Dictionary(new Utf8(), new Uint32(), NAME_DICTIONARY);
const nameStruct = new Struct([new Field("name", nameType, false), new Field("source", new Uint8(), false)]);
const namesType = new List(new Field("item", nameStruct, false));

type NumberType = Uint8 | Uint16 | Uint32 | Float64;
type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const NO_NULLS = { nullCount: 0 } as const;

function numberData(values: NumberArray): Data<NumberType> {
  const { length } = values;
  if (values instanceof Uint8Array) return makeData({ type: new Uint8(), length, data: values, ...NO_NULLS });
  if (values instanceof Uint16Array) return makeData({ type: new Uint16(), length, data: values, ...NO_NULLS });
  if (values instanceof Uint32Array) return makeData({ type: new Uint32(), length, data: values, ...NO_NULLS });
  return makeData({ type: new Float64(), length, data: values, ...NO_NULLS });
}

/** The same values in half the room where each is a whole number below 2 ** 32. */
function narrow(values: Float64Array): Uint32Array | Float64Array {
  const small = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    small[i] = values[i] as number;
    if (small[i] !== values[i]) return values;
  }
  return small;
}

function addressDictionary(batch: FlowBatch): Vector<Binary> {
  const count = batch.addressFamily.length;
  const valueOffsets = new Int32Array(count + 1);
  const data = new Uint8Array(count * 16);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const size = batch.addressFamily[i] === 4 ? 4 : 16;
    for (let k = 0; k < size; k++) data[end + k] = batch.addressBytes[i * 16 + k] as number;
    end += size;
    valueOffsets[i + 1] = end;
  }
  return makeVector(
    makeData({ type: new Binary(), length: count, valueOffsets, data: data.subarray(0, end), ...NO_NULLS }),
  );
}

const utf8 = new TextEncoder();

function textDictionary(texts: readonly string[]): Vector<Utf8> {
  const valueOffsets = new Int32Array(texts.length + 1);
  const parts = texts.map((text, i) => {
    const bytes = utf8.encode(text);
    valueOffsets[i + 1] = (valueOffsets[i] as number) + bytes.length;
    return bytes;
  });
  const data = new Uint8Array(valueOffsets[texts.length] as number);
  for (const [i, bytes] of parts.entries()) data.set(bytes, valueOffsets[i] as number);
  return makeVector(makeData({ type: new Utf8(), length: texts.length, valueOffsets, data, ...NO_NULLS }));
}

/** Bytes of an Arrow IPC stream with one record batch; see the layout above. */
export function encodeFlowBatch(batch: FlowBatch): Uint8Array {
  const { length, origin } = batch;
  const baseUs = length === 0 ? 0 : batch.startUs.reduce((a, b) => Math.min(a, b));
  const start = batch.startUs.map((time) => time - baseUs);
  const duration = batch.endUs.map((time, i) => time - (batch.startUs[i] as number));
  const addresses = addressDictionary(batch);
  const indexed = (type: Dictionary, data: Uint32Array, dictionary: Vector) =>
    makeData({ type, length: data.length, data, dictionary, ...NO_NULLS });

  const nameCount = batch.nameIds.length;
  const nameItems = makeData({
    type: nameStruct,
    length: nameCount,
    children: [indexed(nameType, batch.nameIds, textDictionary(batch.names)), numberData(batch.nameSources)],
    ...NO_NULLS,
  });
  const columns: [string, Data][] = [
    ["protocol", numberData(batch.protocol)],
    ["originator_address", indexed(addressType, batch.originatorAddress, addresses)],
    ["responder_address", indexed(addressType, batch.responderAddress, addresses)],
    ["originator_port", numberData(batch.originatorPort)],
    ["responder_port", numberData(batch.responderPort)],
    ["originator_packets", numberData(narrow(batch.originatorPackets))],
    ["responder_packets", numberData(narrow(batch.responderPackets))],
    ["originator_bytes", numberData(narrow(batch.originatorBytes))],
    ["responder_bytes", numberData(narrow(batch.responderBytes))],
    ["originator_tcp_flags", numberData(batch.originatorTcpFlags)],
    ["responder_tcp_flags", numberData(batch.responderTcpFlags)],
    ["start", numberData(narrow(start))],
    ["duration", numberData(narrow(duration))],
    ["outcome", numberData(batch.outcome)],
    ["evidence", numberData(batch.evidence)],
    ["icmp", numberData(batch.icmp)],
    ["depth", numberData(batch.depth)],
    ["scope", indexed(scopeType, batch.scope, textDictionary(batch.scopes))],
    [
      "names",
      makeData({
        type: namesType,
        length,
        valueOffsets: new Int32Array(batch.nameOffsets),
        child: nameItems,
        ...NO_NULLS,
      }),
    ],
  ];
  const metadata = new Map([
    ["portolan.version", String(batch.version)],
    ["portolan.collector", origin.collector],
    ["portolan.boot", origin.boot],
    ["portolan.sequence", String(origin.sequence)],
    ["portolan.bucket", String(origin.bucket)],
    ["portolan.dropped", String(batch.loss.dropped)],
    ["portolan.baseUs", String(baseUs)],
  ]);
  const schema = new Schema(
    columns.map(([name, data]) => new Field(name, data.type, false)),
    metadata,
  );
  const rows = makeData({
    type: new Struct(schema.fields),
    length,
    children: columns.map(([, data]) => data),
    ...NO_NULLS,
  });
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.write(new RecordBatch(schema, rows));
  writer.finish();
  return writer.toUint8Array(true);
}

function refuse(code: FlowBatchError["code"], what: string, wanted: string, cause?: unknown): never {
  throw new FlowBatchError(code, `Cannot read flow batch: ${what}; wanted ${wanted}`, { cause });
}

function readBatch(bytes: Uint8Array): RecordBatch {
  const fault = arrowStreamFault(bytes);
  if (fault !== undefined) refuse("not-arrow", `as an Arrow IPC stream, ${fault}`, "a whole one");
  let batches: RecordBatch[];
  try {
    batches = [...RecordBatchReader.from(bytes)];
  } catch (cause) {
    refuse("not-arrow", "the bytes are not a whole Arrow IPC stream", "one record batch", cause);
  }
  const [first] = batches;
  if (first === undefined || batches.length > 1) {
    refuse("corrupt", `${batches.length} record batches in one message`, "exactly one");
  }
  return first;
}

function columnData(rows: RecordBatch, name: string): Data {
  const index = rows.schema.fields.findIndex((field) => field.name === name);
  const data = rows.data.children[index];
  if (data === undefined) refuse("wrong-schema", `column "${name}" is missing`, "the columns of a flow batch");
  if (data.length !== rows.numRows) refuse("corrupt", `column "${name}" has ${data.length} rows`, `${rows.numRows}`);
  return data;
}

type TypedArrayClass<T> = { new (values: ArrayLike<number>): T; new (length: number): T };

/** The values of a column as `kind`; a narrower integer column is widened, anything else refused. */
function numbers<T extends NumberArray>(data: Data, name: string, kind: TypedArrayClass<T>, length = data.length): T {
  const values: unknown = data.values;
  const isWhole = values instanceof Uint8Array || values instanceof Uint16Array || values instanceof Uint32Array;
  if (!(values instanceof kind) && !(isWhole && (kind as unknown) === Float64Array)) {
    refuse("wrong-schema", `column "${name}" is ${data.type}`, kind.name.replace("Array", ""));
  }
  const whole = values as NumberArray;
  if (whole.length < length) refuse("corrupt", `column "${name}" holds ${whole.length} values`, `${length}`);
  const slice = whole.subarray(0, length);
  return slice instanceof kind ? slice : new kind(slice);
}

function indexes(data: Data, name: string, entries: number): Uint32Array {
  const values = numbers(data, name, Uint32Array);
  for (const value of values) {
    if (value >= entries) refuse("corrupt", `column "${name}" points at entry ${value}`, `an entry below ${entries}`);
  }
  return values;
}

function bounded(values: Uint8Array, name: string, entries: number): Uint8Array {
  for (const value of values) {
    if (value >= entries) refuse("corrupt", `column "${name}" holds ${value}`, `a value below ${entries}`);
  }
  return values;
}

function dictionaryOf(data: Data, name: string): Vector {
  if (data.dictionary === undefined) refuse("wrong-schema", `column "${name}" has no dictionary`, "a dictionary");
  return data.dictionary;
}

function texts(dictionary: Vector): string[] {
  return Array.from(dictionary, (text) => String(text));
}

/**
 * Reads what `encodeFlowBatch` wrote; every index and length is checked, since the bytes may come from anybody.
 * @throws {FlowBatchError} On anything else.
 */
export function decodeFlowBatch(bytes: Uint8Array): FlowBatch {
  const rows = readBatch(bytes);
  const metadata = rows.schema.metadata;
  const meta = (key: string) =>
    metadata.get(`portolan.${key}`) ?? refuse("wrong-schema", `"portolan.${key}" is missing`, "a flow batch");
  const whole = (key: string) => {
    const value = Number(meta(key));
    return Number.isSafeInteger(value) && value >= 0
      ? value
      : refuse("corrupt", `"portolan.${key}" is "${meta(key)}"`, "a whole number");
  };
  if (whole("version") !== FLOW_BATCH_VERSION) {
    refuse("wrong-version", `its version is ${meta("version")}`, `version ${FLOW_BATCH_VERSION}`);
  }
  if (whole("sequence") > LAST_SEQUENCE) {
    refuse("corrupt", `"portolan.sequence" is ${meta("sequence")}`, `a number up to ${LAST_SEQUENCE}`);
  }
  const length = rows.numRows;
  const column = <T extends NumberArray>(name: string, kind: TypedArrayClass<T>) =>
    numbers(columnData(rows, name), name, kind);

  const originator = columnData(rows, "originator_address");
  const addresses = dictionaryOf(originator, "originator_address");
  const addressFamily = new Uint8Array(addresses.length);
  const addressBytes = new Uint8Array(addresses.length * 16);
  for (let i = 0; i < addresses.length; i++) {
    const address: unknown = addresses.get(i);
    if (!(address instanceof Uint8Array) || (address.length !== 4 && address.length !== 16)) {
      refuse("corrupt", `address ${i} is not 4 or 16 bytes`, "an IPv4 or IPv6 address");
    }
    addressFamily[i] = address.length === 4 ? 4 : 6;
    addressBytes.set(address, i * 16);
  }

  const scope = columnData(rows, "scope");
  const scopes = texts(dictionaryOf(scope, "scope"));
  const nameLists = columnData(rows, "names");
  const nameItems = nameLists.children[0];
  const [ids, sources] = nameItems?.children ?? [];
  if (nameItems === undefined || ids === undefined || sources === undefined) {
    refuse("wrong-schema", 'column "names" has no items', "a list of names with their sources");
  }
  const names = texts(dictionaryOf(ids, "names"));
  const nameOffsets = new Uint32Array(nameLists.valueOffsets.subarray(0, length + 1));
  for (let i = 0; i < length; i++) {
    if ((nameOffsets[i] as number) > (nameOffsets[i + 1] as number)) {
      refuse("corrupt", `the names of row ${i} end before they start`, "ascending offsets");
    }
  }
  if (nameOffsets.length !== length + 1 || (nameOffsets[length] as number) > ids.length) {
    refuse("corrupt", 'column "names" points past its items', "offsets within the batch");
  }

  const baseUs = whole("baseUs");
  const startUs = column("start", Float64Array).map((time) => time + baseUs);
  const endUs = column("duration", Float64Array).map((time, i) => time + (startUs[i] as number));
  return {
    version: FLOW_BATCH_VERSION,
    origin: {
      collector: meta("collector"),
      boot: meta("boot"),
      sequence: whole("sequence"),
      bucket: whole("bucket"),
    },
    loss: { dropped: meta("dropped") === "unknown" ? "unknown" : whole("dropped") },
    length,
    addressFamily,
    addressBytes,
    protocol: column("protocol", Uint8Array),
    originatorAddress: indexes(originator, "originator_address", addresses.length),
    responderAddress: indexes(columnData(rows, "responder_address"), "responder_address", addresses.length),
    originatorPort: column("originator_port", Uint16Array),
    responderPort: column("responder_port", Uint16Array),
    originatorPackets: column("originator_packets", Float64Array),
    responderPackets: column("responder_packets", Float64Array),
    originatorBytes: column("originator_bytes", Float64Array),
    responderBytes: column("responder_bytes", Float64Array),
    originatorTcpFlags: column("originator_tcp_flags", Uint8Array),
    responderTcpFlags: column("responder_tcp_flags", Uint8Array),
    startUs,
    endUs,
    outcome: bounded(column("outcome", Uint8Array), "outcome", OUTCOMES.length),
    evidence: bounded(column("evidence", Uint8Array), "evidence", EVIDENCE.length),
    icmp: column("icmp", Uint16Array),
    depth: column("depth", Uint8Array),
    scope: indexes(scope, "scope", scopes.length),
    scopes,
    nameOffsets,
    nameIds: indexes(ids, "names", names.length),
    nameSources: bounded(numbers(sources, "names", Uint8Array), "names", NAME_SOURCES.length),
    names,
  };
}
