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
 * One pass for each kind of column: the compiler makes short loops fast long before it is done with one that does it all,
 * and half a million flows are over by then.
 */

/** A name as rows of a batch have it: its number in the batch's dictionary, and its place in NAME_SOURCES. */
interface BatchName {
  readonly id: number;
  readonly source: number;
}

export function portColumns(rows: Uint32Array, { words }: FinishedFlows) {
  const protocol = new Uint8Array(rows.length);
  const originatorPort = new Uint16Array(rows.length);
  const responderPort = new Uint16Array(rows.length);
  const icmp = new Uint16Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    const meta = words[at + META]!;
    const kind = meta & 255;
    const family = (meta & FAMILY6) === 0 ? 4 : 6;
    protocol[row] = kind;
    if (isIcmp(kind, family)) {
      const seen = words[at + DETAIL]!;
      const exchange = icmpExchange(family, seen >>> 8);
      icmp[row] = exchange === undefined ? seen : (exchange.type << 8) | (seen & 255);
      continue;
    }
    const isHigh = (words[at + STATE]! & ORIGINATOR_IS_HIGH) !== 0;
    const ports = words[at + PORTS]!;
    icmp[row] = NOT_ICMP;
    originatorPort[row] = isHigh ? ports & 0xffff : ports >>> 16;
    responderPort[row] = isHigh ? ports >>> 16 : ports & 0xffff;
  }
  return { protocol, originatorPort, responderPort, icmp };
}

export function counterColumns(rows: Uint32Array, { words, doubles }: FinishedFlows) {
  const originatorPackets = new Float64Array(rows.length);
  const responderPackets = new Float64Array(rows.length);
  const originatorBytes = new Float64Array(rows.length);
  const responderBytes = new Float64Array(rows.length);
  const startUs = new Float64Array(rows.length);
  const endUs = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    const at64 = rows[row]! * ROW_DOUBLES;
    const isHigh = (words[at + STATE]! & ORIGINATOR_IS_HIGH) !== 0;
    originatorPackets[row] = words[at + (isHigh ? PACKETS_HIGH : PACKETS_LOW)]! >>> 0;
    responderPackets[row] = words[at + (isHigh ? PACKETS_LOW : PACKETS_HIGH)]! >>> 0;
    originatorBytes[row] = doubles[at64 + (isHigh ? BYTES_HIGH_F64 : BYTES_LOW_F64)]!;
    responderBytes[row] = doubles[at64 + (isHigh ? BYTES_LOW_F64 : BYTES_HIGH_F64)]!;
    startUs[row] = doubles[at64 + START_F64]!;
    endUs[row] = doubles[at64 + END_F64]!;
  }
  return { originatorPackets, responderPackets, originatorBytes, responderBytes, startUs, endUs };
}

export function verdictColumns(rows: Uint32Array, { words }: FinishedFlows) {
  const originatorTcpFlags = new Uint8Array(rows.length);
  const responderTcpFlags = new Uint8Array(rows.length);
  const outcome = new Uint8Array(rows.length);
  const evidence = new Uint8Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    const state = words[at + STATE]!;
    const isHigh = (state & ORIGINATOR_IS_HIGH) !== 0;
    originatorTcpFlags[row] = isHigh ? state >> 8 : state;
    responderTcpFlags[row] = isHigh ? state : state >> 8;
    evidence[row] = (state & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
    if ((words[at + NAMES_AND_PART]! & 1) !== 0) {
      outcome[row] = MIDSTREAM; // the opening was told with the first part
      continue;
    }
    const sent = words[at + (isHigh ? PACKETS_HIGH : PACKETS_LOW)]! >>> 0;
    const answered = words[at + (isHigh ? PACKETS_LOW : PACKETS_HIGH)]! >>> 0;
    outcome[row] = outcomeOf(words[at + META]! & 255, state, sent, answered);
  }
  return { originatorTcpFlags, responderTcpFlags, outcome, evidence };
}

export function scopeColumns(rows: Uint32Array, { words }: FinishedFlows, scopes: ScopeTable) {
  const depth = new Uint8Array(rows.length);
  const scope = new Uint32Array(rows.length);
  const scopeIndex = new Map<string, number>();
  const scopeOfChain = new Map<number, number>(); // by chain and reversal, so that a text is made once
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row]! * ROW_WORDS;
    const state = words[at + STATE]!;
    const chain = words[at + SCOPE]!;
    depth[row] = scopes.depth(chain);
    // The chain is as the first packet's sender saw it; it is turned round when that was the responder.
    const isReversed = ((state & FIRST_FROM_HIGH) !== 0) !== ((state & ORIGINATOR_IS_HIGH) !== 0);
    const chainKey = chain * 2 + (isReversed ? 1 : 0);
    let scopeId = scopeOfChain.get(chainKey);
    if (scopeId === undefined) {
      scopeId = indexIn(scopeIndex, scopes.text(chain, isReversed));
      scopeOfChain.set(chainKey, scopeId);
    }
    scope[row] = scopeId;
  }
  return { depth, scope, scopes: [...scopeIndex.keys()] };
}

export function nameColumns(rows: Uint32Array, { words }: FinishedFlows, names: NameLists) {
  const nameOffsets = new Uint32Array(rows.length + 1);
  const nameIds: number[] = [];
  const nameSources: number[] = [];
  const nameIndex = new Map<string, number>();
  const namesOfList = new Map<number, readonly BatchName[]>(); // flows of one server share a list
  for (let row = 0; row < rows.length; row++) {
    nameOffsets[row] = nameIds.length;
    const list = words[rows[row]! * ROW_WORDS + NAMES_AND_PART]! >>> 1;
    if (list === NO_NAMES) continue;
    let told = namesOfList.get(list);
    if (told === undefined) {
      told = names.at(list).map(({ name, source }) => ({
        id: indexIn(nameIndex, name),
        source: NAME_SOURCES.indexOf(source),
      }));
      namesOfList.set(list, told);
    }
    for (const { id, source } of told) {
      nameIds.push(id);
      nameSources.push(source);
    }
  }
  nameOffsets[rows.length] = nameIds.length;
  return {
    nameOffsets,
    nameIds: Uint32Array.from(nameIds),
    nameSources: Uint8Array.from(nameSources),
    names: [...nameIndex.keys()],
  };
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
