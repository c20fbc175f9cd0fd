import { EVIDENCE } from "../model/flow-record.js";
import type { FinishedFlows } from "./finished-flows.js";
import { openingOf } from "./flow-direction.js";
import { outcomeOf, UNANSWERED } from "./flow-outcome.js";
import {
  ABORTED_HIGH,
  ABORTED_LOW,
  ADDRESS_HIGH,
  ADDRESS_LOW,
  BYTES_HIGH_F64,
  BYTES_LOW_F64,
  END_F64,
  EVIDENCE_MASK,
  EVIDENCE_SHIFT,
  FIRST_FROM_HIGH,
  META,
  ORIGINATOR_IS_HIGH,
  PACKETS_HIGH,
  PACKETS_LOW,
  PAYLOAD_HIGH,
  PAYLOAD_LOW,
  PORTS,
  REFUSED,
  SCOPE,
  SHUT,
  SLOT_DOUBLES,
  SLOT_WORDS,
  START_F64,
  STATE,
  SYN_ACKED,
} from "./flow-slot.js";
import { NO_ICMP, type Packet } from "./layers/packet.js";
import { ACK, FIN, RST, SYN } from "./layers/tcp.js";
import { NO_NAMES } from "./name-lists.js";

const TCP = 6;
const SCTP = 132;
const SYN_EVIDENCE = EVIDENCE.indexOf("syn");
const SYN_ACK_EVIDENCE = EVIDENCE.indexOf("syn-ack");

/** How long a flow is remembered after its last packet. See docs of each field for what it means to the records. */
export interface FlowTimeouts {
  /** An open TCP or SCTP connection. After it, packets of the same tuple are a new flow, `midstream`. */
  readonly openUs: number;
  /** A closed connection (FIN both ways, RST, ABORT): late ACKs and retransmissions still join it. */
  readonly closedUs: number;
  /** UDP, ICMP and all else: silence is the only end they have. */
  readonly connectionlessUs: number;
}

export const DEFAULT_TIMEOUTS: FlowTimeouts = {
  openUs: 3_600_000_000,
  closedUs: 120_000_000,
  connectionlessUs: 300_000_000,
};

/** When flows that go on are told of, for those who cannot wait for their end. Ages count from the first packet not yet told. */
export interface PartTimes {
  readonly decidedUs: number; // age at which a flow with an outcome is told for the first time
  readonly undecidedUs: number; // the same for one that nobody answered so far: the answer may still come
  readonly laterUs: number; // age at which its later parts are told
}

/** A SYN that comes this soon after a flow's first packet was overtaken by it; later it opens another connection. */
const OVERTAKEN_US = 1_000_000;
/** A SYN with another sequence number after this much silence opens another connection though none was seen to close. */
const REOPENED_US = 60_000_000;

const INITIAL_SLOTS = 256;
const SAMPLE = 1024;

/** The slot number that means "no flow". */
export const NO_SLOT = -1;

/**
 * The flows that are being watched, in typed arrays: slots of 16 words, found through an open-addressing index, deleted
 * by backward shift. What a flow becomes when it ends goes to `finished`.
 *
 * A tuple begins a new flow when a SYN with a new sequence number meets a closed or long silent connection, or after
 * `FlowTimeouts` of silence. Whether that silence is noticed by the next packet or by a sweep makes no difference.
 */
export class FlowTable {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Of TCP the opening sequence number, of ICMP the type and code, of the originator's first packet. */
  private readonly details: Int32Array;
  private readonly isLaterPart: Uint8Array; // 1 when an earlier part of the flow has been told
  private readonly names: Int32Array; // list of names, see NameLists
  /**
   * Where the slots of hashes are, at the place that the hash's lower bits name or behind it: slot + 1 in as many lower
   * bits, the hash's upper bits above, which spare a visit to nearly all slots that only share the place. 0 is free.
   */
  private index = new Int32Array(INITIAL_SLOTS * 2);
  private readonly free: Int32Array;
  private freeCount = 0;
  private slots = INITIAL_SLOTS; // that may be taken before it is time to sweep
  private used = 0; // slots ever taken
  /** Flows now in the table. */
  size = 0;
  /** Whether the last packet added began its flow. */
  isNew = false;
  /** Flows that were ended early to make room. */
  evicted = 0;
  private readonly shortestUs: number;

  constructor(
    private readonly finished: FinishedFlows,
    private readonly maxFlows: number,
    private readonly timeouts: FlowTimeouts,
    /** Told of each slot that is about to be given to another flow. */
    private readonly onEnd: (slot: number) => void,
  ) {
    // Memory that is not touched costs nothing: the system gives it page by page, and nothing is copied when the table grows.
    const most = Math.max(maxFlows, INITIAL_SLOTS);
    this.words = new Int32Array(most * SLOT_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    this.details = new Int32Array(most);
    this.isLaterPart = new Uint8Array(most);
    this.names = new Int32Array(most);
    this.free = new Int32Array(most);
    this.shortestUs = Math.min(timeouts.openUs, timeouts.closedUs, timeouts.connectionlessUs, REOPENED_US);
  }

  private hash(a: number, b: number, ports: number, meta: number): number {
    let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ ports ^ (h >>> 15), 0xc2b2ae35);
    h = Math.imul(h ^ meta ^ (h >>> 13), 0x27d4eb2f);
    return h ^ (h >>> 16);
  }

  private hashOf(slot: number): number {
    const { words } = this;
    const at = slot * SLOT_WORDS;
    return this.hash(words[at + ADDRESS_LOW]!, words[at + ADDRESS_HIGH]!, words[at + PORTS]!, words[at + META]!);
  }

  /** The slot of a key, or NO_SLOT. */
  find(low: number, high: number, ports: number, meta: number): number {
    return this.search(this.hash(low, high, ports, meta), low, high, ports, meta);
  }

  private search(hash: number, low: number, high: number, ports: number, meta: number): number {
    const { words, index } = this;
    const mask = index.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = index[i]!;
      if (entry === 0) return NO_SLOT;
      if (((entry ^ hash) & ~mask) !== 0) continue;
      const slot = (entry & mask) - 1;
      const at = slot * SLOT_WORDS;
      if (
        words[at + ADDRESS_LOW] === low &&
        words[at + ADDRESS_HIGH] === high &&
        words[at + PORTS] === ports &&
        words[at + META] === meta
      ) {
        return slot;
      }
    }
  }

  /**
   * Adds a packet to its flow, which may begin with it. @returns the flow's slot
   * @param isFromHigh whether the sender is the upper side
   */
  add(packet: Packet, low: number, high: number, ports: number, meta: number, isFromHigh: boolean): number {
    const { timeUs, tcpFlags } = packet;
    const isTcp = packet.protocol === TCP;
    const isSyn = isTcp && (tcpFlags & (SYN | ACK)) === SYN;
    const hash = this.hash(low, high, ports, meta);
    let slot = this.search(hash, low, high, ports, meta);
    this.isNew = false;
    if (slot === NO_SLOT) {
      if (this.isFull) this.makeRoom(packet.timeUs);
      slot = this.take(hash, low, high, ports, meta);
      this.begin(slot, packet, isFromHigh);
    } else {
      const silentUs = timeUs - this.doubles[slot * SLOT_DOUBLES + END_F64]!;
      if ((isSyn || silentUs > this.shortestUs) && this.isOver(slot, packet, isSyn)) {
        this.end(slot);
        this.begin(slot, packet, isFromHigh);
      }
    }
    const { words, doubles } = this;
    const at = slot * SLOT_WORDS;
    const at64 = slot * SLOT_DOUBLES;
    let state = words[at + STATE]!;
    if ((words[at + PACKETS_LOW]! | words[at + PACKETS_HIGH]!) === 0) doubles[at64 + START_F64] = timeUs; // of a part
    if (isFromHigh) {
      words[at + PACKETS_HIGH] = words[at + PACKETS_HIGH]! + 1;
      doubles[at64 + BYTES_HIGH_F64] = doubles[at64 + BYTES_HIGH_F64]! + packet.ipBytes;
      if (packet.payloadEnd > packet.payloadAt) state |= PAYLOAD_HIGH;
    } else {
      words[at + PACKETS_LOW] = words[at + PACKETS_LOW]! + 1;
      doubles[at64 + BYTES_LOW_F64] = doubles[at64 + BYTES_LOW_F64]! + packet.ipBytes;
      if (packet.payloadEnd > packet.payloadAt) state |= PAYLOAD_LOW;
    }
    if (timeUs > doubles[at64 + END_F64]!) doubles[at64 + END_F64] = timeUs;
    else if (timeUs < doubles[at64 + START_F64]!) doubles[at64 + START_F64] = timeUs;
    if (isTcp) {
      if ((tcpFlags & SYN) !== 0) state = this.noteSyn(slot, state, packet, isFromHigh);
      state |= isFromHigh ? tcpFlags << 8 : tcpFlags;
    } else if (packet.protocol === SCTP) state = noteSctp(state, packet, isFromHigh);
    words[at + STATE] = state;
    return slot;
  }

  /** Notes that a router or the responder's host refused what one side of a flow had sent, if that side opened the flow. */
  refuse(low: number, high: number, ports: number, meta: number, isSenderHigh: boolean): void {
    const slot = this.find(low, high, ports, meta);
    if (slot === NO_SLOT) return;
    const at = slot * SLOT_WORDS + STATE;
    const isOriginatorHigh = (this.words[at]! & ORIGINATOR_IS_HIGH) !== 0;
    if (isOriginatorHigh === isSenderHigh) this.words[at] = this.words[at]! | REFUSED;
  }

  /** Whether a packet of the slot's tuple belongs to another flow. */
  private isOver(slot: number, { timeUs, sequence }: Packet, isSyn: boolean): boolean {
    const silentUs = timeUs - this.doubles[slot * SLOT_DOUBLES + END_F64]!;
    if (silentUs > this.lifetimeUs(slot)) return true;
    if (!isSyn) return false;
    const state = this.words[slot * SLOT_WORDS + STATE]!;
    const isOpeningKnown = (state & EVIDENCE_MASK) >> EVIDENCE_SHIFT === SYN_EVIDENCE;
    if (isOpeningKnown) {
      if (this.details[slot] === sequence) return false; // sent again
      return this.isClosed(slot) || silentUs > REOPENED_US;
    }
    return this.isClosed(slot) || timeUs - this.doubles[slot * SLOT_DOUBLES + START_F64]! > OVERTAKEN_US;
  }

  private isClosed(slot: number): boolean {
    const state = this.words[slot * SLOT_WORDS + STATE]!;
    return (
      (state & (state >> 8) & FIN) !== 0 ||
      ((state | (state >> 8)) & RST) !== 0 ||
      (state & (SHUT | ABORTED_LOW | ABORTED_HIGH)) !== 0
    );
  }

  private lifetimeUs(slot: number): number {
    const protocol = this.words[slot * SLOT_WORDS + META]! & 255;
    if (protocol !== TCP && protocol !== SCTP) return this.timeouts.connectionlessUs;
    return this.isClosed(slot) ? this.timeouts.closedUs : this.timeouts.openUs;
  }

  /** The state after a SYN, which may be better evidence than what there was. */
  private noteSyn(slot: number, state: number, packet: Packet, isFromHigh: boolean): number {
    const evidence = (state & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
    const isAnswer = (packet.tcpFlags & ACK) !== 0;
    if (isAnswer && (packet.tcpFlags & RST) === 0) state |= SYN_ACKED;
    const better = isAnswer ? SYN_ACK_EVIDENCE : SYN_EVIDENCE;
    if (evidence <= better) return state;
    if (!isAnswer) this.details[slot] = packet.sequence;
    const isOriginatorHigh = isFromHigh !== isAnswer;
    const cleared = state & ~(EVIDENCE_MASK | ORIGINATOR_IS_HIGH);
    return cleared | (better << EVIDENCE_SHIFT) | (isOriginatorHigh ? ORIGINATOR_IS_HIGH : 0);
  }

  /** A free slot with this key in the index. */
  private take(hash: number, low: number, high: number, ports: number, meta: number): number {
    let slot: number;
    if (this.freeCount > 0) slot = this.free[--this.freeCount]!;
    else {
      slot = this.used++;
    }
    const { words } = this;
    const at = slot * SLOT_WORDS;
    words[at + ADDRESS_LOW] = low;
    words[at + ADDRESS_HIGH] = high;
    words[at + PORTS] = ports;
    words[at + META] = meta;
    this.enterIndex(slot, hash);
    this.size++;
    return slot;
  }

  private enterIndex(slot: number, hash: number): void {
    const { index } = this;
    const mask = index.length - 1;
    let i = hash & mask;
    while (index[i] !== 0) i = (i + 1) & mask;
    index[i] = (hash & ~mask) | (slot + 1);
  }

  private begin(slot: number, packet: Packet, isFromHigh: boolean): void {
    this.isNew = true;
    const at = slot * SLOT_WORDS;
    const at64 = slot * SLOT_DOUBLES;
    const opening = openingOf(packet);
    const isOriginatorHigh = isFromHigh !== ((opening & 1) === 1);
    this.words[at + STATE] =
      ((opening >> 1) << EVIDENCE_SHIFT) |
      (isOriginatorHigh ? ORIGINATOR_IS_HIGH : 0) |
      (isFromHigh ? FIRST_FROM_HIGH : 0);
    this.words[at + SCOPE] = packet.scope;
    this.words[at + PACKETS_LOW] = 0;
    this.words[at + PACKETS_HIGH] = 0;
    this.doubles[at64 + BYTES_LOW_F64] = 0;
    this.doubles[at64 + BYTES_HIGH_F64] = 0;
    this.doubles[at64 + START_F64] = packet.timeUs;
    this.doubles[at64 + END_F64] = packet.timeUs;
    this.details[slot] = packet.icmp === NO_ICMP ? packet.sequence : packet.icmp;
    this.isLaterPart[slot] = 0;
    this.names[slot] = NO_NAMES;
  }

  /** Tells what has not been told of a flow; nothing where all was. */
  private tell(slot: number): void {
    const { words } = this;
    const at = slot * SLOT_WORDS;
    if ((words[at + PACKETS_LOW]! | words[at + PACKETS_HIGH]!) === 0) return;
    this.finished.push(words, at, this.details[slot]!, this.isLaterPart[slot]!, this.names[slot]!);
  }

  /**
   * Tells of flows that go on, in parts: the first with the flow's outcome, later ones as `midstream` with what came
   * since. Parts add up to the flow.
   */
  tellParts(nowUs: number, times: PartTimes): void {
    const { words, doubles } = this;
    for (let slot = 0; slot < this.used; slot++) {
      if (this.isFree(slot)) continue;
      const at = slot * SLOT_WORDS;
      const at64 = slot * SLOT_DOUBLES;
      const low = words[at + PACKETS_LOW]!;
      const high = words[at + PACKETS_HIGH]!;
      if ((low | high) === 0) continue;
      const ageUs = nowUs - doubles[at64 + START_F64]!;
      if (this.isLaterPart[slot] === 1) {
        if (ageUs < times.laterUs) continue;
      } else {
        if (ageUs < times.decidedUs) continue;
        const state = words[at + STATE]!;
        const isHigh = (state & ORIGINATOR_IS_HIGH) !== 0;
        const outcome = outcomeOf(words[at + META]! & 255, state, isHigh ? high : low, isHigh ? low : high);
        if (outcome === UNANSWERED && ageUs < times.undecidedUs) continue;
      }
      this.tell(slot);
      this.isLaterPart[slot] = 1;
      words[at + PACKETS_LOW] = 0;
      words[at + PACKETS_HIGH] = 0;
      doubles[at64 + BYTES_LOW_F64] = 0;
      doubles[at64 + BYTES_HIGH_F64] = 0;
      // Flags are those of a part's own packets, but for the ones that say that the connection is over.
      words[at + STATE] = words[at + STATE]! & (~0xffff | FIN | RST | ((FIN | RST) << 8));
    }
  }

  /** Moves a flow's record to the finished ones; its slot stays in the index for another flow of the same tuple. */
  private end(slot: number): void {
    this.tell(slot);
    this.names[slot] = NO_NAMES;
    this.onEnd(slot);
  }

  private remove(slot: number): void {
    this.end(slot);
    const { index } = this;
    const mask = index.length - 1;
    let hole = this.hashOf(slot) & mask;
    while ((index[hole]! & mask) !== slot + 1) hole = (hole + 1) & mask;
    // Backward shift: whoever sits past the hole and may stand in it moves up, so that no search ends too soon.
    for (let i = (hole + 1) & mask; index[i] !== 0; i = (i + 1) & mask) {
      const home = this.hashOf((index[i]! & mask) - 1) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        index[hole] = index[i]!;
        hole = i;
      }
    }
    index[hole] = 0;
    this.words[slot * SLOT_WORDS + META] = -1; // marks the slot as free for sweeps
    this.free[this.freeCount++] = slot;
    this.size--;
  }

  private grow(): void {
    this.slots *= 2;
    this.index = new Int32Array(this.slots * 2);
    for (let slot = 0; slot < this.used; slot++) if (!this.isFree(slot)) this.enterIndex(slot, this.hashOf(slot));
  }

  private isFree(slot: number): boolean {
    return this.words[slot * SLOT_WORDS + META] === -1;
  }

  /** Whether the next new flow would need a larger table or is not allowed. */
  private get isFull(): boolean {
    return this.freeCount === 0 && (this.used >= this.slots || this.used >= this.maxFlows);
  }

  /**
   * Ends the flows that are over at `nowUs`. When that frees little, the table grows, and at its limit those flows that
   * were silent longest are ended too: at least an eighth.
   */
  private makeRoom(nowUs: number): void {
    this.sweep(nowUs);
    if (this.freeCount >= this.used >> 2) return;
    if (this.used < this.maxFlows) {
      if (this.used === this.slots) this.grow();
      return;
    }
    const ends: number[] = [];
    const step = Math.max(1, Math.floor(this.used / SAMPLE));
    for (let slot = 0; slot < this.used; slot += step) {
      if (!this.isFree(slot)) ends.push(this.doubles[slot * SLOT_DOUBLES + END_F64]!);
    }
    const limitUs = ends.sort((a, b) => a - b)[ends.length >> 3]!;
    for (let slot = 0; slot < this.used; slot++) {
      if (this.isFree(slot) || this.doubles[slot * SLOT_DOUBLES + END_F64]! > limitUs) continue;
      this.remove(slot);
      this.evicted++;
    }
  }

  /** Ends the flows that are over at `nowUs`. */
  sweep(nowUs: number): void {
    for (let slot = 0; slot < this.used; slot++) {
      if (this.isFree(slot)) continue;
      const silentUs = nowUs - this.doubles[slot * SLOT_DOUBLES + END_F64]!;
      if (silentUs > this.shortestUs && silentUs > this.lifetimeUs(slot)) this.remove(slot);
    }
  }

  /** Ends all flows. */
  endAll(): void {
    this.finished.reserve(this.size);
    for (let slot = 0; slot < this.used; slot++) if (!this.isFree(slot)) this.end(slot);
    this.index.fill(0);
    this.used = 0;
    this.freeCount = 0;
    this.size = 0;
  }

  namesOf(slot: number): number {
    return this.names[slot]!;
  }

  setNames(slot: number, names: number): void {
    this.names[slot] = names;
  }
}

/** RFC 9260 chunk types that open and close an association. */
function noteSctp(state: number, packet: Packet, isFromHigh: boolean): number {
  if (packet.payloadAt >= packet.payloadEnd) return state;
  switch (packet.bytes[packet.payloadAt]) {
    case 2: // INIT ACK
      return state | SYN_ACKED;
    case 6: // ABORT
      return state | (isFromHigh ? ABORTED_HIGH : ABORTED_LOW);
    case 14: // SHUTDOWN COMPLETE
      return state | SHUT;
    default:
      return state;
  }
}
