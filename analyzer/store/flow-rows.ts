import { formatAddress, type IpAddress } from "../../model/address.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import { EVIDENCE, OUTCOMES } from "../../model/flow-record.js";
import { NOT_ICMP } from "../../model/flow-rows.js";
import type { IdentityIndex } from "../../model/identity-index.js";
import { HOUR_US, windowStart } from "../../model/time-window.js";
import { allocateColumn, type ColumnKind, type NumberColumn } from "./columns.js";
import type { NameRows } from "./name-rows.js";

/** Columns of the table `flows`, in its order. */
export const FLOW_KINDS = [
  "i64",
  "i64",
  "u32",
  "u32",
  "u64",
  "u32",
  "u32",
  "u32",
  "u32",
  "u8",
  "u16",
  "u16",
  "u32",
  "u8",
  "u8",
  "f64",
  "f64",
  "f64",
  "f64",
  "u32",
  "u32",
] as const satisfies readonly ColumnKind[];

/** Places of columns; all but the tuple are alike in a whole batch. */
const APPEND_NO = 2;
const COLLECTOR = 3;
const TUPLE = 4;
const STREAM = 19;
const SEQUENCE = 20;

/** Flows outside of these years are taken for damage: 1990 to 2200. */
const EARLIEST_US = 631_152_000e6;
const LATEST_US = 7_258_118_400e6;
/** A longer record is damage too, and would claim activity in thousands of hours. */
const LONGEST_US = 31 * 24 * HOUR_US;
/** Longer names are cut: a DNS name has at most 253 characters, and the rest is hostile. */
const LONGEST_NAME = 253;
const WORD = 4294967296;
const UNKNOWN_NAME = -1;
const NO_NAME = -2;

export interface FlowDictionaries {
  readonly scopes: { numberOf(text: string): number };
  readonly names: { numberOf(text: string): number };
  /** Number of an address by family and its 16 bytes at `offset`; new ones are added with their identities. */
  addressNumber(family: number, bytes: Uint8Array, offset: number): number;
  readonly identityIndex: IdentityIndex;
  /** Takes the names of the added rows. */
  readonly nameRows: NameRows;
}

function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x9e3779b1);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x85ebca77) ^ (mixed >>> 13);
}

const utf8 = new TextEncoder();

function hashBytes(bytes: Uint8Array, from: number, length: number): number {
  let hash = Math.imul(0x811c9dc5 ^ length, 0x01000193);
  for (let i = from; i < from + length; i++) hash = mix(hash, bytes[i] as number);
  return hash;
}

/** Text of an address in a batch's dictionary. */
export function addressOfBytes(family: number, bytes: Uint8Array, offset: number): IpAddress {
  let value = 0n;
  const end = offset + (family === 4 ? 4 : 16);
  for (let i = offset; i < end; i++) value = (value << 8n) | BigInt(bytes[i] as number);
  return { family: family === 4 ? 4 : 6, value };
}

export const addressText = (family: number, bytes: Uint8Array, offset: number): string =>
  formatAddress(addressOfBytes(family, bytes, offset));

/** ICMP has no ports: its `service` is the request's type, and the two directions are different flows. */
export function isDirected(protocol: number): boolean {
  return protocol === 1 || protocol === 58;
}

export interface AddedRows {
  readonly flows: number;
  readonly malformed: number;
  readonly fromUs: number; // start of the earliest good flow; NaN without any
  readonly untilUs: number; // end of the latest
}

/** Columns with room for `rows`; what they hold means nothing. */
export interface FlowMemory {
  readonly rows: number;
  readonly columns: NumberColumn[];
}

/** What the indexes of a batch stand for: numbers in our dictionaries, and hashes that are the same in every store. */
interface BatchTexts {
  readonly addresses: Uint32Array;
  readonly addressHashes: Uint32Array;
  readonly scopes: Uint32Array;
  readonly scopeHashes: Uint32Array;
  readonly names: Int32Array; // UNKNOWN_NAME until it is asked for
}

/** Whether times, counters and indexes of a row can be. */
function isGood(batch: FlowBatch, i: number, addresses: number, scopes: number): boolean {
  const startUs = batch.startUs[i] as number;
  const endUs = batch.endUs[i] as number;
  const packetsOut = batch.originatorPackets[i] as number;
  const packetsBack = batch.responderPackets[i] as number;
  const bytesOut = batch.originatorBytes[i] as number;
  const bytesBack = batch.responderBytes[i] as number;
  return (
    startUs >= EARLIEST_US &&
    endUs <= LATEST_US &&
    endUs >= startUs &&
    endUs - startUs <= LONGEST_US &&
    (batch.originatorAddress[i] as number) < addresses &&
    (batch.responderAddress[i] as number) < addresses &&
    (batch.scope[i] as number) < scopes &&
    (batch.outcome[i] as number) < OUTCOMES.length &&
    (batch.evidence[i] as number) < EVIDENCE.length &&
    packetsOut >= 0 &&
    packetsBack >= 0 &&
    bytesOut >= 0 &&
    bytesBack >= 0 &&
    packetsOut + packetsBack + bytesOut + bytesBack <= Number.MAX_SAFE_INTEGER
  );
}

function serviceOf(batch: FlowBatch, i: number): number {
  if (!isDirected(batch.protocol[i] as number)) return batch.responderPort[i] as number;
  const icmp = batch.icmp[i] as number;
  return icmp === NOT_ICMP ? 0 : icmp >>> 8;
}

/** Rows of batches, by column, ready to be copied into DuckDB. */
export class FlowRows {
  rows = 0;
  columns: NumberColumn[];
  readonly hours = new Set<number>();
  private capacity: number;

  constructor(
    private readonly dictionaries: FlowDictionaries,
    private readonly appendNo: number,
    expectedRows: number,
    spare?: FlowMemory,
  ) {
    const isEnough = spare !== undefined && spare.rows >= expectedRows;
    this.capacity = isEnough ? spare.rows : Math.max(expectedRows, 16);
    this.columns = isEnough ? spare.columns : FLOW_KINDS.map((kind) => allocateColumn(kind, this.capacity));
  }

  /** The memory of the columns, for the next rows once these are stored. */
  memory(): FlowMemory {
    return { rows: this.capacity, columns: this.columns };
  }

  /** Adds the good rows of a batch. A bad one (times, counters or indexes that cannot be) is counted and left out. */
  add(batch: FlowBatch, collector: number, stream: number): AddedRows {
    this.reserve(batch.length);
    const first = this.rows;
    const added = this.addGood(batch, this.textsOf(batch));
    const { sequence } = batch.origin;
    for (const [column, value] of [
      [APPEND_NO, this.appendNo],
      [COLLECTOR, collector],
      [STREAM, stream],
      [SEQUENCE, sequence],
    ] as const) {
      (this.columns[column] as Uint32Array).fill(value, first, this.rows);
    }
    return added;
  }

  private textsOf(batch: FlowBatch): BatchTexts {
    const { dictionaries } = this;
    const addresses = new Uint32Array(batch.addressFamily.length);
    const addressHashes = new Uint32Array(addresses.length);
    for (let i = 0; i < addresses.length; i++) {
      const family = batch.addressFamily[i] as number;
      addressHashes[i] = hashBytes(batch.addressBytes, i * 16, family === 4 ? 4 : 16);
      addresses[i] = dictionaries.addressNumber(family, batch.addressBytes, i * 16);
    }
    const scopeHashes = Uint32Array.from(batch.scopes, (scope) => {
      const bytes = utf8.encode(scope);
      return hashBytes(bytes, 0, bytes.length);
    });
    return {
      addresses,
      addressHashes,
      scopes: Uint32Array.from(batch.scopes, (scope) => dictionaries.scopes.numberOf(scope)),
      scopeHashes,
      names: new Int32Array(batch.names.length).fill(UNKNOWN_NAME),
    };
  }

  private addGood(batch: FlowBatch, texts: BatchTexts): AddedRows {
    const { identityIndex } = this.dictionaries;
    const { addresses, scopes } = texts;
    const [start, end, , , , originators, responders, fromIdentity, toIdentity] = this.columns as Uint32Array[];
    const [protocols, ports, services, scopeIds, outcomes, evidences] = this.columns.slice(9, 15) as Uint32Array[];
    const [outPackets, backPackets, outBytes, backBytes] = this.columns.slice(15, 19) as Float64Array[];
    let fromUs = Number.POSITIVE_INFINITY;
    let untilUs = Number.NEGATIVE_INFINITY;
    let n = this.rows;
    let lastHour = Number.NaN;
    for (let i = 0; i < batch.length; i++) {
      if (!isGood(batch, i, addresses.length, scopes.length)) continue;
      const originator = addresses[batch.originatorAddress[i] as number] as number;
      const responder = addresses[batch.responderAddress[i] as number] as number;
      const scope = scopes[batch.scope[i] as number] as number;
      const protocol = batch.protocol[i] as number;
      const service = serviceOf(batch, i);
      const wholeStart = Math.floor(batch.startUs[i] as number);
      const wholeEnd = Math.floor(batch.endUs[i] as number);
      (start as Uint32Array)[2 * n] = wholeStart >>> 0;
      (start as Uint32Array)[2 * n + 1] = Math.floor(wholeStart / WORD);
      (end as Uint32Array)[2 * n] = wholeEnd >>> 0;
      (end as Uint32Array)[2 * n + 1] = Math.floor(wholeEnd / WORD);
      this.writeTuple(n, batch, i, service, texts);
      (originators as Uint32Array)[n] = originator;
      (responders as Uint32Array)[n] = responder;
      (fromIdentity as Uint32Array)[n] = identityIndex.identityAt(originator, wholeStart);
      (toIdentity as Uint32Array)[n] = identityIndex.identityAt(responder, wholeStart);
      (protocols as Uint32Array)[n] = protocol;
      (ports as Uint32Array)[n] = batch.originatorPort[i] as number;
      (services as Uint32Array)[n] = service;
      (scopeIds as Uint32Array)[n] = scope;
      (outcomes as Uint32Array)[n] = batch.outcome[i] as number;
      (evidences as Uint32Array)[n] = batch.evidence[i] as number;
      (outPackets as Float64Array)[n] = batch.originatorPackets[i] as number;
      (backPackets as Float64Array)[n] = batch.responderPackets[i] as number;
      (outBytes as Float64Array)[n] = batch.originatorBytes[i] as number;
      (backBytes as Float64Array)[n] = batch.responderBytes[i] as number;
      n++;
      if (wholeStart < fromUs) fromUs = wholeStart;
      if (wholeEnd > untilUs) untilUs = wholeEnd;
      const hour = windowStart(wholeStart, HOUR_US);
      if (hour !== lastHour || wholeEnd >= hour + HOUR_US) {
        for (let reached = hour; reached <= wholeEnd; reached += HOUR_US) this.hours.add(reached);
        lastHour = hour;
      }
      const lastName = batch.nameOffsets[i + 1] as number;
      for (let k = batch.nameOffsets[i] as number; k < lastName; k++) {
        const name = this.nameNumber(batch, batch.nameIds[k] as number, texts.names);
        if (name === NO_NAME) continue;
        this.dictionaries.nameRows.add(hour, originator, responder, protocol, service, scope, name);
      }
    }
    const flows = n - this.rows;
    this.rows = n;
    const malformed = batch.length - flows;
    return { flows, malformed, fromUs: flows > 0 ? fromUs : Number.NaN, untilUs: flows > 0 ? untilUs : Number.NaN };
  }

  /**
   * Both directions of one five-tuple hash alike, so that observers who disagree about the originator still meet. The hash
   * is made of what the numbers stand for, so that it is the same in every store.
   */
  private writeTuple(n: number, batch: FlowBatch, i: number, service: number, texts: BatchTexts): void {
    const tuple = this.columns[TUPLE] as Uint32Array;
    const protocol = batch.protocol[i] as number;
    const port = batch.originatorPort[i] as number;
    const originator = texts.addressHashes[batch.originatorAddress[i] as number] as number;
    const responder = texts.addressHashes[batch.responderAddress[i] as number] as number;
    const isForward = isDirected(protocol) || originator < responder || (originator === responder && port <= service);
    const low = isForward ? originator : responder;
    const high = isForward ? responder : originator;
    const portsWord = isForward ? (port << 16) | service : (service << 16) | port;
    const seed = mix(protocol, texts.scopeHashes[batch.scope[i] as number] as number);
    tuple[2 * n] = mix(mix(mix(seed ^ 0x2545f491, low), high), portsWord);
    tuple[2 * n + 1] = mix(mix(mix(seed ^ 0x1b873593, high), portsWord), low);
  }

  /** How many rows from `firstRow` on start before `timeUs`. */
  countBefore(firstRow: number, timeUs: number): number {
    const starts = this.columns[0] as Uint32Array;
    let count = 0;
    for (let n = firstRow; n < this.rows; n++) {
      if ((starts[2 * n + 1] as number) * WORD + (starts[2 * n] as number) < timeUs) count++;
    }
    return count;
  }

  /** Number of a name of the batch; `known` holds those that were asked for before. */
  private nameNumber(batch: FlowBatch, id: number, known: Int32Array): number {
    const number = known[id];
    if (number !== UNKNOWN_NAME) return number ?? NO_NAME;
    const text = batch.names[id];
    const found =
      text === undefined || text === "" ? NO_NAME : this.dictionaries.names.numberOf(text.slice(0, LONGEST_NAME));
    known[id] = found;
    return found;
  }

  private reserve(more: number): void {
    if (this.rows + more <= this.capacity) return;
    this.capacity = Math.max(this.rows + more, this.capacity * 2);
    this.columns = FLOW_KINDS.map((kind, i) => {
      const grown = allocateColumn(kind, this.capacity);
      grown.set(this.columns[i] as Uint32Array);
      return grown;
    });
  }
}
