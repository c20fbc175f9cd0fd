import type { BatchOrigin, CaptureLoss, FlowBatch } from "../model/flow-batch.js";
import { FLOW_BATCH_VERSION } from "../model/flow-batch.js";
import { bucketOfFlow } from "../model/flow-bucket.js";
import type { AddressTable } from "./address-table.js";
import { type FinishedFlows, ROW_WORDS } from "./finished-flows.js";
import {
  counterColumns,
  isIcmp,
  nameColumns,
  portColumns,
  scopeColumns,
  sidesOf,
  verdictColumns,
} from "./flow-columns.js";
import { ADDRESS_HIGH, ADDRESS_LOW, FAMILY6, META, PORTS } from "./flow-slot.js";
import type { NameLists } from "./name-lists.js";
import type { ScopeTable } from "./scope-table.js";

/** Rows of a full batch: large enough that its frame costs nothing, small enough for one message. */
export const BATCH_ROWS = 1000;
/**
 * The same where batches stay in the process: the larger they are, the less often an address or a name is told again. So
 * many fill a row group of DuckDB.
 */
export const LARGE_BATCH_ROWS = 122_880;

/** Maps numbers that repeat within a batch to its dictionary, again and again without clearing. */
class BatchDictionary {
  private entries = new Int32Array(64);
  length = 0;
  private places = new Int32Array(this.entries.length * 4); // pairs (the batch that it was written for, entry)
  private stamp = 0;

  begin(): void {
    this.length = 0;
    this.stamp++;
  }

  /** Writes the addresses of the words that were met, 16 bytes each, from place `first` on. */
  write(addresses: AddressTable, family: number, into: Uint8Array, first: number): void {
    for (let i = 0; i < this.length; i++) addresses.write(family, this.entries[i]!, into, (first + i) * 16);
  }

  indexOf(value: number): number {
    const { places, entries, stamp } = this;
    const mask = places.length - 2;
    const hash = Math.imul(value, 0x9e3779b1);
    for (let at = ((hash ^ (hash >>> 15)) << 1) & mask; ; at = (at + 2) & mask) {
      if (places[at] !== stamp) {
        if (this.length === entries.length) return this.grow(value);
        places[at] = stamp;
        places[at + 1] = this.length;
        entries[this.length] = value;
        return this.length++;
      }
      const entry = places[at + 1]!;
      if (entries[entry] === value) return entry;
    }
  }

  /** Takes `value` in with room for twice as many. */
  private grow(value: number): number {
    const known = this.entries;
    this.entries = new Int32Array(known.length * 2);
    this.places = new Int32Array(known.length * 8);
    this.length = 0;
    for (const entry of known) this.indexOf(entry);
    return this.indexOf(value);
  }
}

/** Turns finished flows into batches, numbering them per bucket. */
export class FlowExporter {
  private readonly sequences: number[];
  private readonly addresses4 = new BatchDictionary();
  private readonly addresses6 = new BatchDictionary();
  private readonly endA = new Uint8Array(16);
  private readonly endB = new Uint8Array(16);

  constructor(
    private readonly collector: string,
    private readonly boot: string,
    private readonly buckets: number,
    private readonly batchRows: number = BATCH_ROWS,
  ) {
    this.sequences = Array<number>(buckets).fill(0);
  }

  /**
   * Batches of at most `batchRows` flows, ordered by time of the first packet within each bucket. `loss` stands in the
   * first batch alone, so that sums over batches are right.
   */
  *export(
    flows: FinishedFlows,
    addresses: AddressTable,
    scopes: ScopeTable,
    names: NameLists,
    loss: CaptureLoss,
  ): Generator<FlowBatch> {
    const order = flows.inOrder(addresses);
    let unsentLoss: CaptureLoss = loss;
    for (const [bucket, rows] of this.split(order, flows, addresses).entries()) {
      for (let first = 0; first < rows.length; first += this.batchRows) {
        const some = rows.subarray(first, first + this.batchRows);
        const sequence = this.sequences[bucket]!;
        this.sequences[bucket] = sequence + 1;
        const origin: BatchOrigin = { collector: this.collector, boot: this.boot, sequence, bucket };
        yield this.batch(origin, unsentLoss, some, flows, addresses, scopes, names);
        unsentLoss = { dropped: unsentLoss.dropped === "unknown" ? "unknown" : 0 };
      }
    }
  }

  private split(order: Uint32Array, flows: FinishedFlows, addresses: AddressTable): Uint32Array[] {
    if (this.buckets === 1) return [order];
    const { words } = flows;
    const bucketOf = new Uint16Array(order.length);
    const counts = new Uint32Array(this.buckets);
    for (let i = 0; i < order.length; i++) {
      const at = order[i]! * ROW_WORDS;
      const meta = words[at + META]!;
      const family = (meta & FAMILY6) === 0 ? 4 : 6;
      addresses.write(family, words[at + ADDRESS_LOW]!, this.endA, 0);
      addresses.write(family, words[at + ADDRESS_HIGH]!, this.endB, 0);
      const protocol = meta & 255;
      const ports = isIcmp(protocol, family) ? 0 : words[at + PORTS]!;
      const a = { bytes: this.endA, at: 0, port: ports >>> 16 };
      const b = { bytes: this.endB, at: 0, port: ports & 0xffff };
      const bucket = bucketOfFlow(protocol, family, a, b, this.buckets);
      bucketOf[i] = bucket;
      counts[bucket] = counts[bucket]! + 1;
    }
    const rows = Array.from(counts, (count) => new Uint32Array(count));
    counts.fill(0);
    for (let i = 0; i < order.length; i++) {
      const bucket = bucketOf[i]!;
      rows[bucket]![counts[bucket]!] = order[i]!;
      counts[bucket] = counts[bucket]! + 1;
    }
    return rows;
  }

  private batch(
    origin: BatchOrigin,
    loss: CaptureLoss,
    rows: Uint32Array,
    flows: FinishedFlows,
    addresses: AddressTable,
    scopes: ScopeTable,
    names: NameLists,
  ): FlowBatch {
    const sides = sidesOf(rows, flows);
    const ports = portColumns(rows, flows, sides);
    const counters = counterColumns(rows, flows, sides);
    return {
      version: FLOW_BATCH_VERSION,
      origin,
      loss,
      length: rows.length,
      ...this.addressColumns(rows, flows, sides, addresses),
      ...ports,
      ...counters,
      ...verdictColumns(rows, flows, sides, { ...ports, ...counters }),
      ...scopeColumns(rows, flows, sides, scopes),
      ...nameColumns(rows, flows, names),
    };
  }

  private addressColumns(rows: Uint32Array, { words }: FinishedFlows, sides: Uint8Array, addresses: AddressTable) {
    const { addresses4, addresses6 } = this;
    addresses4.begin();
    addresses6.begin();
    const originatorAddress = this.indexesOf(rows, words, ADDRESS_LOW);
    const responderAddress = this.indexesOf(rows, words, ADDRESS_HIGH);
    const ipv4Count = addresses4.length;
    placeEnds(rows, words, sides, ipv4Count, originatorAddress, responderAddress);
    const count = ipv4Count + addresses6.length;
    const addressBytes = new Uint8Array(count * 16);
    addresses4.write(addresses, 4, addressBytes, 0);
    addresses6.write(addresses, 6, addressBytes, ipv4Count);
    const addressFamily = new Uint8Array(count).fill(4, 0, ipv4Count).fill(6, ipv4Count);
    return { addressFamily, addressBytes, originatorAddress, responderAddress };
  }

  /** The places of one side's addresses in the dictionary of their family. */
  private indexesOf(rows: Uint32Array, words: Int32Array, side: number): Uint32Array {
    const { addresses4, addresses6 } = this;
    const indexes = new Uint32Array(rows.length);
    for (let row = 0; row < rows.length; row++) {
      const at = rows[row]! * ROW_WORDS;
      const dictionary = (words[at + META]! & FAMILY6) === 0 ? addresses4 : addresses6;
      indexes[row] = dictionary.indexOf(words[at + side]!);
    }
    return indexes;
  }
}

/** Makes of the lower and the upper side's places those of originator and responder, IPv6 behind IPv4. */
function placeEnds(
  rows: Uint32Array,
  words: Int32Array,
  sides: Uint8Array,
  ipv4Count: number,
  lower: Uint32Array,
  upper: Uint32Array,
): void {
  for (let row = 0; row < rows.length; row++) {
    const shift = (words[rows[row]! * ROW_WORDS + META]! & FAMILY6) === 0 ? 0 : ipv4Count;
    const low = lower[row]! + shift;
    const high = upper[row]! + shift;
    lower[row] = sides[row] === 0 ? low : high;
    upper[row] = sides[row] === 0 ? high : low;
  }
}
