import type { BatchOrigin, CaptureLoss, FlowBatch } from "../model/flow-batch.js";
import { FLOW_BATCH_VERSION } from "../model/flow-batch.js";
import { bucketOfFlow } from "../model/flow-bucket.js";
import { NAME_SOURCES } from "../model/flow-record.js";
import { NOT_ICMP } from "../model/flow-rows.js";
import type { AddressTable } from "./address-table.js";
import { DETAIL, type FinishedFlows, NAMES_AND_PART, ROW_DOUBLES, ROW_WORDS } from "./finished-flows.js";
import { MIDSTREAM, outcomeOf } from "./flow-outcome.js";
import {
  ADDRESS_HIGH,
  ADDRESS_LOW,
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

/** Rows of a full batch: large enough that its frame costs nothing, small enough for one message. */
export const BATCH_ROWS = 1000;

/** Maps numbers that repeat within a batch to its dictionary, again and again without clearing. */
class BatchDictionary {
  readonly entries = new Int32Array(BATCH_ROWS * 2);
  length = 0;
  private readonly index = new Int32Array(8192);
  private readonly stamps = new Int32Array(8192); // the batch that an index place was written for
  private stamp = 0;

  begin(): void {
    this.length = 0;
    this.stamp++;
  }

  indexOf(value: number): number {
    const { index, stamps, entries, stamp } = this;
    const h = Math.imul(value, 0x9e3779b1);
    for (let i = (h ^ (h >>> 15)) & 8191; ; i = (i + 1) & 8191) {
      if (stamps[i] !== stamp) {
        stamps[i] = stamp;
        index[i] = this.length;
        entries[this.length] = value;
        return this.length++;
      }
      if (entries[index[i]!] === value) return index[i]!;
    }
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
  ) {
    this.sequences = Array<number>(buckets).fill(0);
  }

  /**
   * Batches of at most BATCH_ROWS flows, ordered by time of the first packet within each bucket. `loss` stands in the
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
      for (let first = 0; first < rows.length; first += BATCH_ROWS) {
        const some = rows.subarray(first, first + BATCH_ROWS);
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
    const { length } = rows;
    const { words, doubles } = flows;
    const { addresses4, addresses6 } = this;
    addresses4.begin();
    addresses6.begin();
    const protocol = new Uint8Array(length);
    const originatorAddress = new Uint32Array(length);
    const responderAddress = new Uint32Array(length);
    const originatorPort = new Uint16Array(length);
    const responderPort = new Uint16Array(length);
    const originatorPackets = new Float64Array(length);
    const responderPackets = new Float64Array(length);
    const originatorBytes = new Float64Array(length);
    const responderBytes = new Float64Array(length);
    const originatorTcpFlags = new Uint8Array(length);
    const responderTcpFlags = new Uint8Array(length);
    const startUs = new Float64Array(length);
    const endUs = new Float64Array(length);
    const outcome = new Uint8Array(length);
    const evidence = new Uint8Array(length);
    const icmp = new Uint16Array(length);
    const depth = new Uint8Array(length);
    const scope = new Uint32Array(length);
    const nameOffsets = new Uint32Array(length + 1);
    const nameIds: number[] = [];
    const nameSources: number[] = [];
    const nameIndex = new Map<string, number>();
    const scopeIndex = new Map<string, number>();
    const scopeOfChain = new Map<number, number>(); // by chain and reversal, so that a text is made once
    for (let row = 0; row < length; row++) {
      const flow = rows[row]!;
      const at = flow * ROW_WORDS;
      const at64 = flow * ROW_DOUBLES;
      const meta = words[at + META]!;
      const state = words[at + STATE]!;
      const ports = words[at + PORTS]!;
      const family = (meta & FAMILY6) === 0 ? 4 : 6;
      const isHigh = (state & ORIGINATOR_IS_HIGH) !== 0;
      const kind = meta & 255;
      protocol[row] = kind;
      const dictionary = family === 4 ? addresses4 : addresses6;
      const low = dictionary.indexOf(words[at + ADDRESS_LOW]!);
      const high = dictionary.indexOf(words[at + ADDRESS_HIGH]!);
      originatorAddress[row] = isHigh ? high : low;
      responderAddress[row] = isHigh ? low : high;
      originatorPackets[row] = words[at + (isHigh ? PACKETS_HIGH : PACKETS_LOW)]! >>> 0;
      responderPackets[row] = words[at + (isHigh ? PACKETS_LOW : PACKETS_HIGH)]! >>> 0;
      originatorBytes[row] = doubles[at64 + (isHigh ? BYTES_HIGH_F64 : BYTES_LOW_F64)]!;
      responderBytes[row] = doubles[at64 + (isHigh ? BYTES_LOW_F64 : BYTES_HIGH_F64)]!;
      originatorTcpFlags[row] = isHigh ? state >> 8 : state;
      responderTcpFlags[row] = isHigh ? state : state >> 8;
      startUs[row] = doubles[at64 + START_F64]!;
      endUs[row] = doubles[at64 + END_F64]!;
      outcome[row] =
        (words[at + NAMES_AND_PART]! & 1) === 0
          ? outcomeOf(kind, state, originatorPackets[row]!, responderPackets[row]!)
          : MIDSTREAM; // the opening was told with the first part
      evidence[row] = (state & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
      if (isIcmp(kind, family)) {
        const seen = words[at + DETAIL]!;
        const exchange = icmpExchange(family, seen >>> 8);
        icmp[row] = exchange === undefined ? seen : (exchange.type << 8) | (seen & 255);
      } else {
        icmp[row] = NOT_ICMP;
        originatorPort[row] = isHigh ? ports & 0xffff : ports >>> 16;
        responderPort[row] = isHigh ? ports >>> 16 : ports & 0xffff;
      }
      const chain = words[at + SCOPE]!;
      depth[row] = scopes.depth(chain);
      // The chain is as the first packet's sender saw it; it is turned round when that was the responder.
      const isReversed = ((state & FIRST_FROM_HIGH) !== 0) !== isHigh;
      const chainKey = chain * 2 + (isReversed ? 1 : 0);
      let scopeId = scopeOfChain.get(chainKey);
      if (scopeId === undefined) {
        scopeId = indexIn(scopeIndex, scopes.text(chain, isReversed));
        scopeOfChain.set(chainKey, scopeId);
      }
      scope[row] = scopeId;
      nameOffsets[row] = nameIds.length;
      const list = words[at + NAMES_AND_PART]! >>> 1;
      if (list === NO_NAMES) continue;
      for (const { name, source } of names.at(list)) {
        nameIds.push(indexIn(nameIndex, name));
        nameSources.push(NAME_SOURCES.indexOf(source));
      }
    }
    nameOffsets[length] = nameIds.length;
    const ipv4Count = addresses4.length;
    for (let row = 0; row < length; row++) {
      if ((words[rows[row]! * ROW_WORDS + META]! & FAMILY6) === 0) continue;
      originatorAddress[row] = originatorAddress[row]! + ipv4Count;
      responderAddress[row] = responderAddress[row]! + ipv4Count;
    }
    const addressCount = ipv4Count + addresses6.length;
    const addressFamily = new Uint8Array(addressCount).fill(4, 0, ipv4Count).fill(6, ipv4Count);
    const addressBytes = new Uint8Array(addressCount * 16);
    for (let i = 0; i < ipv4Count; i++) addresses.write(4, addresses4.entries[i]!, addressBytes, i * 16);
    for (let i = 0; i < addresses6.length; i++) {
      addresses.write(6, addresses6.entries[i]!, addressBytes, (ipv4Count + i) * 16);
    }
    return {
      version: FLOW_BATCH_VERSION,
      origin,
      loss,
      length,
      addressFamily,
      addressBytes,
      protocol,
      originatorAddress,
      responderAddress,
      originatorPort,
      responderPort,
      originatorPackets,
      responderPackets,
      originatorBytes,
      responderBytes,
      originatorTcpFlags,
      responderTcpFlags,
      startUs,
      endUs,
      outcome,
      evidence,
      icmp,
      depth,
      scope,
      scopes: [...scopeIndex.keys()],
      nameOffsets,
      nameIds: Uint32Array.from(nameIds),
      nameSources: Uint8Array.from(nameSources),
      names: [...nameIndex.keys()],
    };
  }
}

/** Index of `text` in a dictionary that grows by it. */
function indexIn(dictionary: Map<string, number>, text: string): number {
  const known = dictionary.get(text);
  if (known !== undefined) return known;
  dictionary.set(text, dictionary.size);
  return dictionary.size - 1;
}

function isIcmp(protocol: number, family: number): boolean {
  return family === 4 ? protocol === 1 : protocol === 58;
}
