import type { ByteWindow } from "./byte-window.js";
import { damaged, END, MAX_RECORD, MORE, PACKET, type RecordFormat, type Step, truncated } from "./record-format.js";

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

const OPTION_TSRESOL = 9;
const OPTION_TSOFFSET = 14;
const OPTION_IF_DROP = 5;
const NO_DROP_COUNT = 0xffff;

interface Interface {
  readonly id: number;
  readonly linkType: number;
  readonly snapLength: number; // 0 is without limit
  readonly unitsPerSecond: number;
  readonly offsetUs: number;
  dropped: number | undefined; // by its last statistics block, which counts from the start of the capture
}

/** Whether a file that starts with these four bytes (in either byte order: a palindrome) is a pcapng. */
export function isPcapngMagic(magic: number): boolean {
  return magic === SECTION_HEADER;
}

/**
 * The block format: draft-ietf-opsawg-pcapng. Every block, known or not, is stepped over by its length.
 *
 *     block     | type 4 | total length 4 | body ... | total length 4 |
 *     section   body: | byte order magic 4 | version 4 | section length 8 | options |
 *     interface body: | link type 2 | 2 | snaplen 4 | options |
 *     enhanced  body: | interface 4 | time high 4 | time low 4 | captured 4 | on the wire 4 | bytes | options |
 *     obsolete  body: | interface 2 | drops 2 | time high 4 | time low 4 | captured 4 | on the wire 4 | bytes | options |
 *     simple    body: | on the wire 4 | bytes |          of the section's first interface, without a time
 */
export class PcapngFormat implements RecordFormat {
  start = 0;
  capturedLength = 0;
  wireLength = 0;
  timeUs = 0;
  linkType = 0;
  interfaceId = 0;
  wanted = 12;
  private isLittleEndian = true;
  private hasSection = false;
  private interfaces: Interface[] = []; // of the section in hand
  private seenInterfaces = 0;
  private earlierDrops: number | undefined;
  private packetDrops: number | undefined;

  constructor(private readonly window: ByteWindow) {}

  get dropped(): number | undefined {
    let sum = this.earlierDrops;
    for (const { dropped } of this.interfaces) if (dropped !== undefined) sum = (sum ?? 0) + dropped;
    // Counts on the packets and in statistics blocks tell of the same losses: the larger one is believed.
    return this.packetDrops === undefined ? sum : Math.max(sum ?? 0, this.packetDrops);
  }

  private u16(at: number): number {
    const b = this.window.bytes;
    return this.isLittleEndian ? b[at]! | (b[at + 1]! << 8) : (b[at]! << 8) | b[at + 1]!;
  }

  private u32(at: number): number {
    const b = this.window.bytes;
    return this.isLittleEndian
      ? (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16)) + b[at + 3]! * 0x1000000
      : (b[at + 3]! | (b[at + 2]! << 8) | (b[at + 1]! << 16)) + b[at]! * 0x1000000;
  }

  private fault(what: string): Error {
    return damaged(this.window.source.name, this.window.offset, what);
  }

  private more(wanted: number): Step {
    const { window } = this;
    this.wanted = wanted;
    if (!window.isAtEnd) return MORE;
    if (window.at === window.end) return END;
    throw truncated(window.source.name, window.offset, wanted, window.end - window.at);
  }

  next(): Step {
    const { window } = this;
    for (;;) {
      const { at } = window;
      const left = window.end - at;
      if (left < 12) return this.more(12);
      const type = this.u32(at);
      // A new section may turn the byte order, so its magic is read before its length.
      if (type === SECTION_HEADER) this.readByteOrder(at + 8);
      else if (!this.hasSection) throw this.fault("a block stands before the first section header");
      const length = this.u32(at + 4);
      if (length < 12 || length % 4 !== 0 || length > MAX_RECORD) {
        throw this.fault(`a block claims ${length} bytes, wanted a multiple of 4 in 12..${MAX_RECORD}`);
      }
      if (left < length) return this.more(length);
      const isPacket = this.readBlock(type, at + 8, at + length - 4);
      window.at = at + length;
      if (isPacket) return PACKET;
    }
  }

  private readByteOrder(at: number): void {
    this.isLittleEndian = true;
    if (this.u32(at) === BYTE_ORDER) return;
    this.isLittleEndian = false;
    if (this.u32(at) !== BYTE_ORDER) throw this.fault("a section header has no byte order magic");
  }

  /** Whether the block's body [at, end) is a packet, which then is in hand. */
  private readBlock(type: number, at: number, end: number): boolean {
    switch (type) {
      case ENHANCED_PACKET:
        if (end - at < 20) throw this.fault("a packet block is too short for its header");
        return this.readPacket(this.u32(at), at + 4, end);
      case OBSOLETE_PACKET: {
        if (end - at < 20) throw this.fault("a packet block is too short for its header");
        const drops = this.u16(at + 2);
        if (drops !== NO_DROP_COUNT) this.packetDrops = (this.packetDrops ?? 0) + drops;
        return this.readPacket(this.u16(at), at + 4, end);
      }
      case SIMPLE_PACKET:
        return this.readSimplePacket(at, end);
      case SECTION_HEADER:
        this.earlierDrops = this.dropped;
        this.packetDrops = undefined;
        this.interfaces = [];
        this.hasSection = true;
        return false;
      case INTERFACE:
        this.readInterface(at, end);
        return false;
      case INTERFACE_STATISTICS:
        this.readStatistics(at, end);
        return false;
      default:
        return false;
    }
  }

  private readPacket(interfaceIndex: number, at: number, end: number): boolean {
    const from = this.interfaces[interfaceIndex];
    if (from === undefined) throw this.fault(`a packet names interface ${interfaceIndex}, which was not described`);
    const captured = this.u32(at + 8);
    if (captured > end - at - 16) throw this.fault(`a packet of ${captured} bytes overruns its block`);
    const wire = this.u32(at + 12);
    const high = this.u32(at);
    const low = this.u32(at + 4);
    this.timeUs = from.offsetUs + microseconds(high, low, from.unitsPerSecond);
    this.start = at + 16;
    this.take(from, captured, wire);
    return true;
  }

  private readSimplePacket(at: number, end: number): boolean {
    const from = this.interfaces[0];
    if (from === undefined) throw this.fault("a simple packet stands before any interface");
    if (end - at < 4) throw this.fault("a packet block is too short for its header");
    const wire = this.u32(at);
    let captured = Math.min(wire, end - at - 4);
    if (from.snapLength > 0) captured = Math.min(captured, from.snapLength);
    this.start = at + 4;
    this.take(from, captured, wire); // it has no time of its own: the last packet's stays
    return true;
  }

  private take(from: Interface, captured: number, wire: number): void {
    this.capturedLength = captured;
    this.wireLength = Math.max(wire, captured);
    this.linkType = from.linkType;
    this.interfaceId = from.id;
  }

  /** Calls `visit` with code, first byte and length of each option in [at, end). */
  private eachOption(at: number, end: number, visit: (code: number, at: number, length: number) => void): void {
    for (let next = at; end - next >= 4; ) {
      const code = this.u16(next);
      const length = this.u16(next + 2);
      if (code === 0 || length > end - next - 4) return;
      visit(code, next + 4, length);
      next += 4 + length + ((4 - (length & 3)) & 3);
    }
  }

  private readInterface(at: number, end: number): void {
    if (end - at < 8) throw this.fault("an interface block is too short for its header");
    let unitsPerSecond = 1_000_000;
    let offsetUs = 0;
    this.eachOption(at + 8, end, (code, option, length) => {
      if (code === OPTION_TSRESOL && length >= 1) {
        const resolution = this.window.bytes[option]!;
        const exponent = resolution & 0x7f;
        // Finer than a double counts exactly in whole numbers is beyond any clock: then the default stays.
        if (resolution < 0x80 && exponent <= 15) unitsPerSecond = 10 ** exponent;
        else if (resolution >= 0x80 && exponent <= 52) unitsPerSecond = 2 ** exponent;
      }
      if (code === OPTION_TSOFFSET && length >= 8) {
        const [low, high] = this.isLittleEndian ? [option, option + 4] : [option + 4, option];
        offsetUs = ((this.u32(high) | 0) * 0x1_0000_0000 + this.u32(low)) * 1_000_000;
      }
    });
    const id = this.seenInterfaces++;
    const linkType = this.u16(at);
    const snapLength = this.u32(at + 4);
    this.interfaces.push({ id, linkType, snapLength, unitsPerSecond, offsetUs, dropped: undefined });
  }

  private readStatistics(at: number, end: number): void {
    const of = end - at < 12 ? undefined : this.interfaces[this.u32(at)];
    if (of === undefined) return;
    this.eachOption(at + 12, end, (code, option, length) => {
      if (code !== OPTION_IF_DROP || length < 8) return;
      const [low, high] = this.isLittleEndian ? [option, option + 4] : [option + 4, option];
      const count = this.u32(high) * 0x1_0000_0000 + this.u32(low);
      if (Number.isSafeInteger(count)) of.dropped = count;
    });
  }
}

/** Whole microseconds of a 64-bit count, exact: at nanoseconds it is beyond what a double holds. */
function microseconds(high: number, low: number, unitsPerSecond: number): number {
  if (unitsPerSecond === 1_000_000) return high * 0x1_0000_0000 + low;
  // 2 ** 32 is 4294967 thousands and 296, so both parts of the count are divided by themselves.
  if (unitsPerSecond === 1_000_000_000) return high * 4_294_967 + Math.floor((high * 296 + low) / 1000);
  return Number((((BigInt(high) << 32n) | BigInt(low)) * 1_000_000n) / BigInt(unitsPerSecond));
}
