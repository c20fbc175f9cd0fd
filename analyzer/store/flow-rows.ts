import type { FlowBatch } from "../../model/flow-batch.js";
import { NOT_ICMP } from "../../model/flow-rows.js";
import type { IdentityIndex } from "../../model/identity-index.js";
import { HOUR_US, windowStart } from "../../model/time-window.js";
import { allocateColumn, type ColumnKind, type NumberColumn } from "./columns.js";
import { goodRows } from "./good-flows.js";
import type { NameRows } from "./name-rows.js";
import { hashTuples, isDirected } from "./tuple-hash.js";

/** Columns of the table `flows`, in its order. */
const FLOW_COLUMNS = {
  startUs: "i64",
  endUs: "i64",
  appendNo: "u32",
  collector: "u32",
  tuple: "u64",
  originator: "u32",
  responder: "u32",
  originatorIdentity: "u32",
  responderIdentity: "u32",
  protocol: "u8",
  originatorPort: "u16",
  service: "u16",
  scope: "u32",
  outcome: "u8",
  evidence: "u8",
  originatorPackets: "u64",
  responderPackets: "u64",
  originatorBytes: "u64",
  responderBytes: "u64",
  stream: "u32",
  sequence: "u32",
} as const satisfies Readonly<Record<string, ColumnKind>>;

type FlowColumn = keyof typeof FLOW_COLUMNS;
const NAMES = Object.keys(FLOW_COLUMNS) as FlowColumn[];
export const FLOW_KINDS: readonly ColumnKind[] = Object.values(FLOW_COLUMNS);

interface ArrayOfKind {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  i64: Uint32Array;
  u64: Uint32Array;
}
type Columns = { readonly [Name in FlowColumn]: ArrayOfKind[(typeof FLOW_COLUMNS)[Name]] };

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

const wordsOf = (kind: ColumnKind) => (kind === "i64" || kind === "u64" ? 2 : 1);

/**
 * Rows of batches, by column, ready to be copied into DuckDB.
 *
 * Each column is made by a loop of its own: the compiler makes short loops fast long before it is done with one that does
 * it all, and what needs no change is copied whole.
 */
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
    const rows = goodRows(batch);
    const into = this.columnsFrom(this.rows, rows.length);
    this.rows += rows.length;

    into.appendNo.fill(this.appendNo);
    into.collector.fill(collector);
    into.stream.fill(stream);
    into.sequence.fill(batch.origin.sequence);
    copy(into.protocol, batch.protocol, rows);
    copy(into.originatorPort, batch.originatorPort, rows);
    copy(into.outcome, batch.outcome, rows);
    copy(into.evidence, batch.evidence, rows);
    copyWhole(into.startUs, batch.startUs, rows);
    copyWhole(into.endUs, batch.endUs, rows);
    copyWhole(into.originatorPackets, batch.originatorPackets, rows);
    copyWhole(into.responderPackets, batch.responderPackets, rows);
    copyWhole(into.originatorBytes, batch.originatorBytes, rows);
    copyWhole(into.responderBytes, batch.responderBytes, rows);
    copyServices(into.service, batch, rows);
    hashTuples(into.tuple, batch, rows, into.service);

    const addresses = this.addressesOf(batch);
    translate(into.originator, batch.originatorAddress, rows, addresses);
    translate(into.responder, batch.responderAddress, rows, addresses);
    const { identityIndex, scopes } = this.dictionaries;
    identify(into.originatorIdentity, into.originator, batch.startUs, rows, identityIndex);
    identify(into.responderIdentity, into.responder, batch.startUs, rows, identityIndex);
    const scopeNumbers = Uint32Array.from(batch.scopes, (scope) => scopes.numberOf(scope));
    translate(into.scope, batch.scope, rows, scopeNumbers);

    this.addNames(batch, rows, into);
    const reach = this.addHours(batch, rows);
    return { flows: rows.length, malformed: batch.length - rows.length, ...reach };
  }

  /** The part of each column that `count` rows from `first` on have. */
  private columnsFrom(first: number, count: number): Columns {
    const parts = NAMES.map((name, i) => {
      const words = wordsOf(FLOW_COLUMNS[name]);
      return [name, this.columns[i]!.subarray(first * words, (first + count) * words)];
    });
    return Object.fromEntries(parts) as Columns;
  }

  private addressesOf(batch: FlowBatch): Uint32Array {
    const { dictionaries } = this;
    const numbers = new Uint32Array(batch.addressFamily.length);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = dictionaries.addressNumber(batch.addressFamily[i]!, batch.addressBytes, i * 16);
    }
    return numbers;
  }

  private addNames(batch: FlowBatch, rows: Uint32Array, into: Columns): void {
    const { nameRows } = this.dictionaries;
    const { nameOffsets } = batch;
    const numbers = new Int32Array(batch.names.length).fill(UNKNOWN_NAME);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      for (let k = nameOffsets[row]!; k < nameOffsets[row + 1]!; k++) {
        const name = this.nameNumber(batch, batch.nameIds[k]!, numbers);
        if (name === NO_NAME) continue;
        const hour = windowStart(batch.startUs[row]!, HOUR_US);
        const { originator, responder, protocol, service, scope } = into;
        nameRows.add(hour, originator[i]!, responder[i]!, protocol[i]!, service[i]!, scope[i]!, name);
      }
    }
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

  /** Notes the hours that the rows reach into. */
  private addHours(batch: FlowBatch, rows: Uint32Array): { readonly fromUs: number; readonly untilUs: number } {
    if (rows.length === 0) return { fromUs: Number.NaN, untilUs: Number.NaN };
    let fromUs = Number.POSITIVE_INFINITY;
    let untilUs = Number.NEGATIVE_INFINITY;
    let lastHour = Number.NaN;
    for (let i = 0; i < rows.length; i++) {
      const startUs = Math.floor(batch.startUs[rows[i]!]!);
      const endUs = Math.floor(batch.endUs[rows[i]!]!);
      if (startUs < fromUs) fromUs = startUs;
      if (endUs > untilUs) untilUs = endUs;
      const hour = windowStart(startUs, HOUR_US);
      if (hour === lastHour && endUs < hour + HOUR_US) continue;
      for (let reached = hour; reached <= endUs; reached += HOUR_US) this.hours.add(reached);
      lastHour = hour;
    }
    return { fromUs, untilUs };
  }

  /** How many rows from `firstRow` on start before `timeUs`. */
  countBefore(firstRow: number, timeUs: number): number {
    const { startUs } = this.columnsFrom(firstRow, this.rows - firstRow);
    let count = 0;
    for (let i = 0; i < startUs.length; i += 2) {
      if (startUs[i + 1]! * WORD + startUs[i]! < timeUs) count++;
    }
    return count;
  }

  private reserve(more: number): void {
    if (this.rows + more <= this.capacity) return;
    this.capacity = Math.max(this.rows + more, this.capacity * 2);
    this.columns = FLOW_KINDS.map((kind, i) => {
      const grown = allocateColumn(kind, this.capacity);
      grown.set(this.columns[i]!);
      return grown;
    });
  }
}

/*
 * Row i of `into` is row rows[i] of `from`.
 */

function copy<Column extends Uint8Array | Uint16Array>(into: Column, from: Column, rows: Uint32Array): void {
  if (rows.length === from.length) into.set(from);
  else for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
}

/** Whole numbers from 0 to below 2 ** 53, rounded down, as two words. */
function copyWhole(into: Uint32Array, from: Float64Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const value = from[rows[i]!]!;
    const high = Math.floor(value / WORD);
    into[2 * i] = value - high * WORD;
    into[2 * i + 1] = high;
  }
}

function translate(into: Uint32Array, from: Uint32Array, rows: Uint32Array, numbers: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) into[i] = numbers[from[rows[i]!]!]!;
}

function copyServices(into: Uint16Array, { protocol, responderPort, icmp }: FlowBatch, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!isDirected(protocol[row]!)) into[i] = responderPort[row]!;
    else into[i] = icmp[row] === NOT_ICMP ? 0 : icmp[row]! >>> 8;
  }
}

function identify(
  into: Uint32Array,
  addresses: Uint32Array,
  startUs: Float64Array,
  rows: Uint32Array,
  index: IdentityIndex,
): void {
  for (let i = 0; i < rows.length; i++) into[i] = index.identityAt(addresses[i]!, Math.floor(startUs[rows[i]!]!));
}
