import type { CaptureLoss, FlowBatch } from "../model/flow-batch.js";
import { AddressTable } from "./address-table.js";
import { FinishedFlows } from "./finished-flows.js";
import { FlowExporter } from "./flow-export.js";
import { FlowNames } from "./flow-names.js";
import { FAMILY6, LOOKED_MASK, MAX_SCOPE_KEYS, SCOPE_KEY_SHIFT, SLOT_WORDS, STATE } from "./flow-slot.js";
import { DEFAULT_TIMEOUTS, FlowTable, type FlowTimeouts, type PartTimes } from "./flow-table.js";
import { FragmentTable } from "./fragment-table.js";
import { dissect, type FlowSink } from "./layers/dissect.js";
import { exchangeOf, isRefusal } from "./layers/icmp.js";
import { type Quote, readQuote } from "./layers/icmp-quote.js";
import { DROP_REASONS, type DropReason, ORPHAN_FRAGMENT } from "./layers/layer.js";
import { FIRST_FRAGMENT, NO_ICMP, Packet } from "./layers/packet.js";
import { ScopeTable } from "./scope-table.js";

export interface FlowMeterOptions {
  readonly collector: string; // see BatchOrigin
  readonly boot: string;
  readonly buckets?: number; // default 1
  readonly batchRows?: number; // most flows of a batch, default BATCH_ROWS
  readonly maxFlows?: number; // in the table at one time, default a million; the longest silent give way
  readonly timeouts?: FlowTimeouts;
}

/** What became of the packets so far. */
export interface MeterTotals {
  readonly packets: number;
  readonly wireBytes: number;
  readonly fromUs: number; // earliest packet; 0 without one
  readonly untilUs: number; // latest packet
  readonly flows: number; // exported
  readonly evicted: number; // flows that were ended early to make room
  readonly dropped: Readonly<Record<DropReason, number>>; // packets, or what was left of them
}

/** What two meters counted. */
export function addMeterTotals(a: MeterTotals, b: MeterTotals): MeterTotals {
  const dropped = Object.entries(a.dropped).map(([reason, count]) => [reason, count + b.dropped[reason as DropReason]]);
  return {
    packets: a.packets + b.packets,
    wireBytes: a.wireBytes + b.wireBytes,
    fromUs: a.packets === 0 ? b.fromUs : b.packets === 0 ? a.fromUs : Math.min(a.fromUs, b.fromUs),
    untilUs: Math.max(a.untilUs, b.untilUs),
    flows: a.flows + b.flows,
    evicted: a.evicted + b.evicted,
    dropped: Object.fromEntries(dropped) as MeterTotals["dropped"],
  };
}

/** Distinct IPv6 addresses, lists of names, scopes: beyond these all flows are exported and the numbering begins anew. */
const MAX_ADDRESSES = 1 << 22;
const MAX_NAME_LISTS = 1 << 20;
const MAX_SCOPES = MAX_SCOPE_KEYS >> 1;

/** ICMP keys take the place of ports: bits that tell one-way messages of the two sides apart. */
const ONE_WAY_FROM_LOW = 1 << 16;
const ONE_WAY_FROM_HIGH = 1 << 17;

const DEFAULT_MAX_FLOWS = 1_000_000;

/**
 * Makes flow records of packets: `add` each, `export` from time to time and at the end. Knows no clock: time is what the
 * packets say.
 */
export class FlowMeter implements FlowSink {
  private readonly addresses = new AddressTable();
  private readonly scopes = new ScopeTable(this.addresses);
  private readonly packet = new Packet(this.addresses, this.scopes);
  private readonly finished = new FinishedFlows();
  private readonly fragments = new FragmentTable();
  private readonly table: FlowTable;
  private readonly names = new FlowNames(this.addresses, () => this.table);
  private readonly quote: Quote = { protocol: 0, source: 0, destination: 0, sourcePort: 0, destinationPort: 0 };
  private readonly exporter: FlowExporter;
  private readonly drops = new Float64Array(DROP_REASONS.length);
  private packets = 0;
  private wireBytes = 0;
  private fromUs = Number.POSITIVE_INFINITY;
  private untilUs = Number.NEGATIVE_INFINITY;
  private flows = 0;

  constructor(options: FlowMeterOptions) {
    const maxFlows = options.maxFlows ?? DEFAULT_MAX_FLOWS;
    const timeouts = options.timeouts ?? DEFAULT_TIMEOUTS;
    this.table = new FlowTable(this.finished, maxFlows, timeouts, (slot) => this.names.end(slot));
    this.exporter = new FlowExporter(options.collector, options.boot, options.buckets ?? 1, options.batchRows);
  }

  /**
   * Takes one packet whose first layer is `layer`, see firstLayerOf. Never throws, whatever the bytes are.
   * @param wireLength at least `capturedLength`
   */
  add(
    layer: number,
    bytes: Uint8Array,
    start: number,
    capturedLength: number,
    wireLength: number,
    timeUs: number,
  ): void {
    this.packets++;
    this.wireBytes += wireLength;
    if (timeUs < this.fromUs) this.fromUs = timeUs;
    if (timeUs > this.untilUs) this.untilUs = timeUs;
    this.packet.begin(bytes, start, capturedLength, wireLength, timeUs);
    dissect(this.packet, layer, this);
  }

  /** Finished flows that wait for `export`. */
  get pending(): number {
    return this.finished.length;
  }

  /** Whether `exportAll` is due now, to keep memory bounded. */
  get mustFlush(): boolean {
    return (
      this.addresses.size > MAX_ADDRESSES || this.scopes.size > MAX_SCOPES || this.names.lists.size > MAX_NAME_LISTS
    );
  }

  observe(packet: Packet): void {
    const meta =
      packet.protocol | (packet.family === 6 ? FAMILY6 : 0) | (this.scopes.keyOf(packet.scope) << SCOPE_KEY_SHIFT);
    this.addToTable(packet, meta);
    if (packet.fragment === FIRST_FRAGMENT) this.addWaitingFragments(packet, meta);
    const { icmp } = packet;
    if (icmp !== NO_ICMP && isRefusal(packet.family, icmp >>> 8, icmp & 255)) this.noteRefusal(packet, meta);
  }

  private addToTable(packet: Packet, meta: number): void {
    let low = packet.source;
    let high = packet.destination;
    let ports = (packet.sourcePort << 16) | packet.destinationPort;
    const isFromHigh = low > high || (low === high && packet.sourcePort > packet.destinationPort);
    if (isFromHigh) {
      low = packet.destination;
      high = packet.source;
      ports = (packet.destinationPort << 16) | packet.sourcePort;
    }
    if (packet.icmp !== NO_ICMP) {
      const exchange = exchangeOf(packet);
      if (exchange === undefined) ports = packet.icmp | (isFromHigh ? ONE_WAY_FROM_HIGH : ONE_WAY_FROM_LOW);
      else ports = exchange.type << 8;
    }
    const { table } = this;
    const slot = table.add(packet, low, high, ports, meta, isFromHigh);
    if (table.isNew) this.names.begin(slot, packet.timeUs);
    const isLooked = (table.words[slot * SLOT_WORDS + STATE]! & LOOKED_MASK) === LOOKED_MASK;
    if (!isLooked && packet.payloadEnd > packet.payloadAt) this.names.look(slot, packet, isFromHigh);
  }

  /** Marks the flow that an ICMP error says was refused, if its originator's packet is what the error is about. */
  private noteRefusal(packet: Packet, meta: number): void {
    const { quote } = this;
    if (!readQuote(packet, quote)) return;
    const isFromHigh =
      quote.source > quote.destination ||
      (quote.source === quote.destination && quote.sourcePort > quote.destinationPort);
    const low = isFromHigh ? quote.destination : quote.source;
    const high = isFromHigh ? quote.source : quote.destination;
    const ports = isFromHigh
      ? (quote.destinationPort << 16) | quote.sourcePort
      : (quote.sourcePort << 16) | quote.destinationPort;
    this.table.refuse(low, high, ports, (meta & ~255) | quote.protocol, isFromHigh);
  }

  private addWaitingFragments(packet: Packet, meta: number): void {
    const waited = this.fragments.learn(packet, meta);
    if (waited === 0) return;
    const { ipBytes } = packet;
    const each = Math.floor(this.fragments.waitedBytes / waited);
    packet.payloadEnd = packet.payloadAt;
    for (let i = 0; i < waited; i++) {
      packet.ipBytes = i === 0 ? this.fragments.waitedBytes - each * (waited - 1) : each;
      this.addToTable(packet, meta);
    }
    packet.ipBytes = ipBytes;
  }

  observeFragment(packet: Packet): void {
    const meta =
      packet.protocol | (packet.family === 6 ? FAMILY6 : 0) | (this.scopes.keyOf(packet.scope) << SCOPE_KEY_SHIFT);
    if (!this.fragments.recall(packet, meta)) return;
    packet.tcpFlags = 0;
    packet.payloadAt = packet.at;
    packet.payloadEnd = packet.at;
    this.addToTable(packet, meta);
    packet.icmp = NO_ICMP;
  }

  drop(reason: number): void {
    this.drops[reason] = this.drops[reason]! + 1;
  }

  /** Ends flows that are over at `nowUs`, for live use where silence brings no packets. */
  sweep(nowUs: number): void {
    this.table.sweep(nowUs);
  }

  /** Makes flows that go on ready for `export`, in parts, for live use where nobody waits for their end. */
  tellParts(nowUs: number, times: PartTimes): void {
    this.table.tellParts(nowUs, times);
  }

  /** Hands out what is finished. `loss` is what was lost since the last call. */
  *export(loss: CaptureLoss): Generator<FlowBatch> {
    this.flows += this.finished.length;
    yield* this.exporter.export(this.finished, this.addresses, this.scopes, this.names.lists, loss);
    this.finished.clear();
  }

  /** Ends all flows and hands them out. Packets that come later begin new ones. */
  *exportAll(loss: CaptureLoss): Generator<FlowBatch> {
    this.table.endAll();
    this.drops[ORPHAN_FRAGMENT] = this.drops[ORPHAN_FRAGMENT]! + this.fragments.takeOrphans(true);
    yield* this.export(loss);
    this.addresses.clear();
    this.scopes.clear();
    this.names.clear();
  }

  totals(): MeterTotals {
    const orphans = this.fragments.takeOrphans(false);
    this.drops[ORPHAN_FRAGMENT] = this.drops[ORPHAN_FRAGMENT]! + orphans;
    const dropped = Object.fromEntries(DROP_REASONS.map((reason, i) => [reason, this.drops[i]!]));
    return {
      packets: this.packets,
      wireBytes: this.wireBytes,
      fromUs: this.packets === 0 ? 0 : this.fromUs,
      untilUs: this.packets === 0 ? 0 : this.untilUs,
      flows: this.flows,
      evicted: this.table.evicted,
      dropped: dropped as Record<DropReason, number>,
    };
  }
}
