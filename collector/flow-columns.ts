import type { FlowBatch } from "../model/flow-batch.js";
import { NAME_SOURCES } from "../model/flow-record.js";
import { NOT_ICMP } from "../model/flow-rows.js";
import { DETAIL, type FinishedFlows, NAMES_AND_PART, ROW_DOUBLES, ROW_WORDS } from "./finished-flows.js";
import { MIDSTREAM, outcomeOf } from "./flow-outcome.js";
import {
  BYTES_HIGH_F64,
  BYTES_LOW_F64,
  END_F64,
  EVIDENCE_MASK,
  EVIDENCE_SHIFT,
  FAMILY6,
  FIRST_FROM_HIGH,
  META,
  ORIGINATOR_IS_HIGH,
  PACKETS_HIGH,
  PACKETS_LOW,
  PORTS,
  SCOPE,
  START_F64,
  STATE,
} from "./flow-slot.js";
import { icmpExchange } from "./layers/icmp.js";
import { type NameLists, NO_NAMES } from "./name-lists.js";
import type { ScopeTable } from "./scope-table.js";

/*
 * The columns of a batch, from the rows of finished flows that go into it.
 *
 * One short loop for each column, in a function that ends with it, and one function for all columns that are made alike:
 * the compiler is done with them long before it is done with one loop that does it all, half a million flows are over by
 * then, and what stands behind a loop when it is compiled is not known yet and has it compiled once more.
 */

/** Of each row the side that is the originator: 1 for the upper one. */
export function sidesOf(rows: Uint32Array, { words }: FinishedFlows): Uint8Array {
  const sides = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    sides[row] = (words[rows[row]! * ROW_WORDS + STATE]! & ORIGINATOR_IS_HIGH) === 0 ? 0 : 1;
  }
  return sides;
}

/** Counters of one end: word `low` where it is the lower side, which it is for rows with `sides` 0, else word `high`. */
function packetsOf(rows: Uint32Array, words: Int32Array, sides: Uint8Array, low: number, high: number): Float64Array {
  const column = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    column[row] = words[rows[row]! * ROW_WORDS + (sides[row] === 0 ? low : high)]! >>> 0;
  }
  return column;
}

/** The same of doubles. */
function doublesOf(rows: Uint32Array, doubles: Float64Array, sides: Uint8Array, low: number, high: number) {
  const column = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    column[row] = doubles[rows[row]! * ROW_DOUBLES + (sides[row] === 0 ? low : high)]!;
  }
  return column;
}

export function counterColumns(rows: Uint32Array, { words, doubles }: FinishedFlows, sides: Uint8Array) {
  return {
    originatorPackets: packetsOf(rows, words, sides, PACKETS_LOW, PACKETS_HIGH),
    responderPackets: packetsOf(rows, words, sides, PACKETS_HIGH, PACKETS_LOW),
    originatorBytes: doublesOf(rows, doubles, sides, BYTES_LOW_F64, BYTES_HIGH_F64),
    responderBytes: doublesOf(rows, doubles, sides, BYTES_HIGH_F64, BYTES_LOW_F64),
    startUs: doublesOf(rows, doubles, sides, START_F64, START_F64),
    endUs: doublesOf(rows, doubles, sides, END_F64, END_F64),
  };
}

/** Ports of the ends that are the upper side for rows with `sides` equal to `upper`. */
function portsOf(rows: Uint32Array, words: Int32Array, sides: Uint8Array, upper: number): Uint16Array {
  const column = new Uint16Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const ports = words[rows[row]! * ROW_WORDS + PORTS]!;
    column[row] = sides[row] === upper ? ports : ports >>> 16;
  }
  return column;
}

function protocolsOf(rows: Uint32Array, words: Int32Array): Uint8Array {
  const column = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) column[row] = words[rows[row]! * ROW_WORDS + META]!;
  return column;
}

/** ICMP has no ports: what stands in their place says which exchange a row is. */
function placeIcmp(
  rows: Uint32Array,
  words: Int32Array,
  protocol: Uint8Array,
  icmp: Uint16Array,
  ports: readonly [Uint16Array, Uint16Array],
): void {
  for (let row = 0; row < rows.length; row++) {
    if (protocol[row] !== 1 && protocol[row] !== 58) continue;
    const at = rows[row]! * ROW_WORDS;
    const family = (words[at + META]! & FAMILY6) === 0 ? 4 : 6;
    if (!isIcmp(protocol[row]!, family)) continue;
    ports[0][row] = 0;
    ports[1][row] = 0;
    const seen = words[at + DETAIL]!;
    const exchange = icmpExchange(family, seen >>> 8);
    icmp[row] = exchange === undefined ? seen : (exchange.type << 8) | (seen & 255);
  }
}

export function portColumns(rows: Uint32Array, { words }: FinishedFlows, sides: Uint8Array) {
  const protocol = protocolsOf(rows, words);
  const originatorPort = portsOf(rows, words, sides, 1);
  const responderPort = portsOf(rows, words, sides, 0);
  const icmp = new Uint16Array(rows.length).fill(NOT_ICMP);
  placeIcmp(rows, words, protocol, icmp, [originatorPort, responderPort]);
  return { protocol, originatorPort, responderPort, icmp };
}

/** TCP flags of the ends that are the upper side for rows with `sides` equal to `upper`. */
function flagsOf(rows: Uint32Array, words: Int32Array, sides: Uint8Array, upper: number): Uint8Array {
  const column = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const state = words[rows[row]! * ROW_WORDS + STATE]!;
    column[row] = sides[row] === upper ? state >> 8 : state;
  }
  return column;
}

function evidenceOf(rows: Uint32Array, words: Int32Array): Uint8Array {
  const column = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    column[row] = (words[rows[row]! * ROW_WORDS + STATE]! & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
  }
  return column;
}

/** The columns made so far that an outcome depends on. */
type Told = Pick<FlowBatch, "protocol" | "originatorPackets" | "responderPackets">;

function outcomesOf(
  rows: Uint32Array,
  words: Int32Array,
  { protocol, originatorPackets, responderPackets }: Told,
): Uint8Array {
  const column = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    // The opening of a later part was told with the first.
    const isLaterPart = (words[at + NAMES_AND_PART]! & 1) !== 0;
    column[row] = isLaterPart
      ? MIDSTREAM
      : outcomeOf(protocol[row]!, words[at + STATE]!, originatorPackets[row]!, responderPackets[row]!);
  }
  return column;
}

export function verdictColumns(rows: Uint32Array, { words }: FinishedFlows, sides: Uint8Array, told: Told) {
  return {
    originatorTcpFlags: flagsOf(rows, words, sides, 1),
    responderTcpFlags: flagsOf(rows, words, sides, 0),
    outcome: outcomesOf(rows, words, told),
    evidence: evidenceOf(rows, words),
  };
}

export function scopeColumns(rows: Uint32Array, { words }: FinishedFlows, sides: Uint8Array, scopes: ScopeTable) {
  const depth = new Uint8Array(rows.length);
  const scope = new Uint32Array(rows.length);
  const scopeIndex = new Map<string, number>();
  const told = new Map<number, number>(); // by chain and reversal, so that a text is made once
  let lastKey = -1;
  let lastScope = 0;
  let lastDepth = 0;
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    const chain = words[at + SCOPE]!;
    // The chain is as the first packet's sender saw it; it is turned round when that was the responder.
    const isReversed = (words[at + STATE]! & FIRST_FROM_HIGH) === 0 ? sides[row] : 1 - sides[row]!;
    const key = chain * 2 + isReversed!;
    if (key !== lastKey) {
      let known = told.get(key);
      if (known === undefined) {
        known = indexIn(scopeIndex, scopes.text(chain, isReversed === 1));
        told.set(key, known);
      }
      lastKey = key;
      lastScope = known;
      lastDepth = scopes.depth(chain);
    }
    depth[row] = lastDepth;
    scope[row] = lastScope;
  }
  return { depth, scope, scopes: [...scopeIndex.keys()] };
}

/** Names as the rows of a batch have them, list by list: flows of one server share a list. */
class ToldLists {
  readonly ids: number[] = []; // numbers in the batch's dictionary
  readonly sources: number[] = []; // places in NAME_SOURCES
  readonly dictionary = new Map<string, number>();
  private readonly ends = new Map<number, number>(); // list -> where its names end in `ids`

  constructor(private readonly names: NameLists) {}

  /** Where the names of a list end; they begin `lengthOf` before. */
  endOf(list: number): number {
    const known = this.ends.get(list);
    if (known !== undefined) return known;
    for (const { name, source } of this.names.at(list)) {
      this.ids.push(indexIn(this.dictionary, name));
      this.sources.push(NAME_SOURCES.indexOf(source));
    }
    this.ends.set(list, this.ids.length);
    return this.ids.length;
  }

  lengthOf(list: number): number {
    return this.names.at(list).length;
  }
}

function nameOffsetsOf(rows: Uint32Array, words: Int32Array, told: ToldLists): Uint32Array {
  const offsets = new Uint32Array(rows.length + 1);
  for (let row = 0; row < rows.length; row++) {
    const list = words[rows[row]! * ROW_WORDS + NAMES_AND_PART]! >>> 1;
    offsets[row + 1] = offsets[row]! + (list === NO_NAMES ? 0 : told.lengthOf(list));
  }
  return offsets;
}

function placeNames(
  rows: Uint32Array,
  words: Int32Array,
  told: ToldLists,
  offsets: Uint32Array,
  ids: Uint32Array,
  sources: Uint8Array,
): void {
  for (let row = 0; row < rows.length; row++) {
    const last = offsets[row + 1]!;
    let to = offsets[row]!;
    if (to === last) continue;
    let from = told.endOf(words[rows[row]! * ROW_WORDS + NAMES_AND_PART]! >>> 1) - (last - to);
    for (; to < last; to++, from++) {
      ids[to] = told.ids[from]!;
      sources[to] = told.sources[from]!;
    }
  }
}

export function nameColumns(rows: Uint32Array, { words }: FinishedFlows, names: NameLists) {
  const told = new ToldLists(names);
  const nameOffsets = nameOffsetsOf(rows, words, told);
  const nameIds = new Uint32Array(nameOffsets[rows.length]!);
  const nameSources = new Uint8Array(nameIds.length);
  placeNames(rows, words, told, nameOffsets, nameIds, nameSources);
  return { nameOffsets, nameIds, nameSources, names: [...told.dictionary.keys()] };
}

/** Index of `text` in a dictionary that grows by it. */
function indexIn(dictionary: Map<string, number>, text: string): number {
  const known = dictionary.get(text);
  if (known !== undefined) return known;
  dictionary.set(text, dictionary.size);
  return dictionary.size - 1;
}

export function isIcmp(protocol: number, family: number): boolean {
  return family === 4 ? protocol === 1 : protocol === 58;
}
