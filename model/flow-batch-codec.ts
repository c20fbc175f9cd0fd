import { type Data, type RecordBatch, RecordBatchReader, type Vector } from "apache-arrow";
import { arrowStreamFault } from "./arrow-stream-check.js";
import { FLOW_BATCH_VERSION, type FlowBatch, LAST_SEQUENCE } from "./flow-batch.js";
import { EVIDENCE, NAME_SOURCES, OUTCOMES } from "./flow-record.js";

export { encodeFlowBatch } from "./flow-batch-encode.js";

/**
 * A flow batch as an Arrow IPC stream: one schema, its dictionaries, one record batch. Any Arrow reader opens it. Compressed
 * with a codec that only finds repeats, a flow takes about 25 bytes, hence the narrow and the split columns.
 *
 *     metadata    portolan.version, .collector, .boot, .sequence, .bucket, .dropped, .baseUs
 *     *_network   dictionary of Binary: all but the last byte of the address, 3 for IPv4, 15 for IPv6; both columns share it
 *     *_host      the last byte of the address
 *     start_step  microseconds after the row before, for the first row after baseUs; or, where rows are not in order
 *                 of time, `start`: microseconds after baseUs
 *     duration    microseconds from start to end
 *     NAME_highN  what is above the lowest N bits, which stand in NAME; left out where it is 0 in all rows. So for
 *                 packets (8), bytes, times (16)
 *     names       dictionary of Utf8: a JSON array of [source, name]
 *
 * Indexes and high parts are Uint8, Uint16 or Uint32, as narrow as their values allow; high parts beyond that Float64.
 */

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

type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

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

function optionalColumn(rows: RecordBatch, name: string): Data | undefined {
  const data = rows.data.children[rows.schema.fields.findIndex((field) => field.name === name)];
  if (data !== undefined && data.length !== rows.numRows) {
    refuse("corrupt", `column "${name}" has ${data.length} rows`, `${rows.numRows}`);
  }
  return data;
}

function columnData(rows: RecordBatch, name: string): Data {
  const data = optionalColumn(rows, name);
  if (data === undefined) refuse("wrong-schema", `column "${name}" is missing`, "the columns of a flow batch");
  return data;
}

type TypedArrayClass<T> = { new (values: ArrayLike<number>): T; new (length: number): T };

/** The values of a column as `kind`; a narrower integer column is widened, anything else refused. */
function numbers<T extends NumberArray>(data: Data, name: string, kind: TypedArrayClass<T>): T {
  const { length } = data;
  const values: unknown = data.values;
  const isWhole = values instanceof Uint8Array || values instanceof Uint16Array || values instanceof Uint32Array;
  const isWidened = isWhole && values.BYTES_PER_ELEMENT < (kind as unknown as Uint8ArrayConstructor).BYTES_PER_ELEMENT;
  if (!(values instanceof kind) && !isWidened) {
    refuse("wrong-schema", `column "${name}" is ${data.type}`, kind.name.replace("Array", ""));
  }
  const whole = values as NumberArray;
  if (whole.length < length) refuse("corrupt", `column "${name}" holds ${whole.length} values`, `${length}`);
  const slice = whole.subarray(0, length);
  return slice instanceof kind ? slice : new kind(slice);
}

/** The two columns of a counter put together again. */
function counter(rows: RecordBatch, name: string, bits: 8 | 16): Float64Array {
  const values = numbers(columnData(rows, name), name, Float64Array);
  const above = `${name}_high${bits}`;
  const data = optionalColumn(rows, above);
  if (data === undefined) return values;
  const high = numbers(data, above, Float64Array);
  const most = 2 ** (53 - bits);
  for (let i = 0; i < values.length; i++) {
    const value = high[i]!;
    if (!(value >= 0 && value < most)) refuse("corrupt", `column "${above}" holds ${value}`, `0 to ${most}`);
    values[i]! += value * 2 ** bits;
  }
  return values;
}

function indexes(data: Data, name: string, entries: number): Uint32Array {
  const values = numbers(data, name, Uint32Array);
  for (let i = 0; i < values.length; i++) {
    if (values[i]! >= entries) {
      refuse("corrupt", `column "${name}" points at entry ${values[i]}`, `an entry below ${entries}`);
    }
  }
  return values;
}

function bounded(values: Uint8Array, name: string, entries: number): Uint8Array {
  for (let i = 0; i < values.length; i++) {
    if (values[i]! >= entries) refuse("corrupt", `column "${name}" holds ${values[i]}`, `a value below ${entries}`);
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

type AddressColumns = Pick<FlowBatch, "addressFamily" | "addressBytes" | "originatorAddress" | "responderAddress">;

/** The addresses of all rows as one dictionary, in the order of their first appearance. */
function readAddresses(rows: RecordBatch): AddressColumns {
  const originator = columnData(rows, "originator_network");
  const networks = Array.from(dictionaryOf(originator, "originator_network"), (network: unknown, i) =>
    network instanceof Uint8Array && (network.length === 3 || network.length === 15)
      ? network
      : refuse("corrupt", `network ${i} is not 3 or 15 bytes`, "an IPv4 or IPv6 address without its last byte"),
  );
  if (networks.length > MOST_NETWORKS) refuse("corrupt", `${networks.length} networks`, `at most ${MOST_NETWORKS}`);
  const numberOf = new Int32Array(256 * networks.length).fill(-1);
  const found: number[] = [];
  const read = (side: string): Uint32Array => {
    const network = indexes(columnData(rows, `${side}_network`), `${side}_network`, networks.length);
    const host = numbers(columnData(rows, `${side}_host`), `${side}_host`, Uint8Array);
    const addresses = new Uint32Array(network.length);
    for (let i = 0; i < network.length; i++) {
      const place = 256 * network[i]! + host[i]!;
      if (numberOf[place] === -1) numberOf[place] = found.push(place) - 1;
      addresses[i] = numberOf[place]!;
    }
    return addresses;
  };
  const originatorAddress = read("originator");
  const responderAddress = read("responder");
  const addressFamily = new Uint8Array(found.length);
  const addressBytes = new Uint8Array(16 * found.length);
  for (const [i, place] of found.entries()) {
    const network = networks[place >>> 8] as Uint8Array;
    addressFamily[i] = network.length === 3 ? 4 : 6;
    addressBytes.set(network, 16 * i);
    addressBytes[16 * i + network.length] = place & 255;
  }
  return { addressFamily, addressBytes, originatorAddress, responderAddress };
}

/** Far more than a batch has; without bounds a few bytes that repeat could stand for more than the memory holds. */
const MOST_ROWS = 100_000;
const MOST_NETWORKS = 65_536;
const MOST_NAMES = 1_000; // of one flow
const MOST_NAMES_IN_ALL = 1_000_000;

type NameItems = readonly { readonly name: string; readonly source: number }[];

/** Sets of names come again batch after batch; those that were read lately are not read anew. */
const readItems = new Map<string, NameItems>();
const REMEMBERED_SETS = 4_096;
const LONGEST_REMEMBERED = 1_024;

function nameItems(text: string): NameItems {
  const known = readItems.get(text);
  if (known !== undefined) return known;
  const items = parseNameItems(text);
  if (readItems.size >= REMEMBERED_SETS) readItems.clear();
  if (text.length <= LONGEST_REMEMBERED) readItems.set(text, items);
  return items;
}

function parseNameItems(text: string): NameItems {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    items = undefined;
  }
  if (!Array.isArray(items) || items.length > MOST_NAMES)
    refuse("corrupt", "a set of names is no list", "a JSON array");
  return items.map((item: unknown) => {
    const [source, name]: unknown[] = Array.isArray(item) ? item : [];
    const number = (NAME_SOURCES as readonly unknown[]).indexOf(source);
    if (number === -1 || typeof name !== "string") {
      refuse("corrupt", "a name has no known source", '["source", "name"]');
    }
    return { name, source: number };
  });
}

type NameColumns = Pick<FlowBatch, "nameOffsets" | "nameIds" | "nameSources" | "names">;

function readNames(rows: RecordBatch): NameColumns {
  const data = columnData(rows, "names");
  const numbersOf = new Map<string, number>();
  const sets = texts(dictionaryOf(data, "names")).map((text) =>
    nameItems(text).map(({ name, source }) => {
      const id = numbersOf.get(name) ?? numbersOf.size;
      numbersOf.set(name, id);
      return { id, source };
    }),
  );
  const set = indexes(data, "names", sets.length);
  const nameOffsets = new Uint32Array(set.length + 1);
  let count = 0;
  for (let i = 0; i < set.length; i++) {
    count += sets[set[i]!]!.length;
    nameOffsets[i + 1] = count;
  }
  if (count > MOST_NAMES_IN_ALL) refuse("corrupt", `its rows have ${count} names`, `at most ${MOST_NAMES_IN_ALL}`);
  const nameIds = new Uint32Array(count);
  const nameSources = new Uint8Array(count);
  let at = 0;
  for (let i = 0; i < set.length; i++) {
    for (const { id, source } of sets[set[i]!]!) {
      nameIds[at] = id;
      nameSources[at++] = source;
    }
  }
  return { nameOffsets, nameIds, nameSources, names: [...numbersOf.keys()] };
}

function readStarts(rows: RecordBatch, baseUs: number): Float64Array {
  const isSteps = optionalColumn(rows, "start_step") !== undefined;
  const times = counter(rows, isSteps ? "start_step" : "start", 16);
  let before = baseUs;
  for (let i = 0; i < times.length; i++) {
    times[i]! += before;
    if (isSteps) before = times[i]!;
  }
  return times;
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
  if (length > MOST_ROWS) refuse("corrupt", `it has ${length} rows`, `at most ${MOST_ROWS}`);
  const column = <T extends NumberArray>(name: string, kind: TypedArrayClass<T>) =>
    numbers(columnData(rows, name), name, kind);

  const scope = columnData(rows, "scope");
  const scopes = texts(dictionaryOf(scope, "scope"));
  const baseUs = whole("baseUs");
  const startUs = readStarts(rows, baseUs);
  const endUs = counter(rows, "duration", 16);
  for (let i = 0; i < endUs.length; i++) endUs[i]! += startUs[i]!;
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
    ...readAddresses(rows),
    protocol: column("protocol", Uint8Array),
    originatorPort: column("originator_port", Uint16Array),
    responderPort: column("responder_port", Uint16Array),
    originatorPackets: counter(rows, "originator_packets", 8),
    responderPackets: counter(rows, "responder_packets", 8),
    originatorBytes: counter(rows, "originator_bytes", 16),
    responderBytes: counter(rows, "responder_bytes", 16),
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
    ...readNames(rows),
  };
}
