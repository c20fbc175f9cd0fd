import type { ByteWindow } from "./byte-window.js";
import { damaged, END, MAX_RECORD, MORE, PACKET, type RecordFormat, type Step, truncated } from "./record-format.js";

const FILE_HEADER = 24;

interface Variant {
  readonly isLittleEndian: boolean;
  readonly unitsPerUs: number; // of the fraction field: 1 for microseconds, 1000 for nanoseconds
  readonly recordHeader: number;
}

/**
 * Magic numbers as they lie in the file. The "modified" format of old Linux distributions has 8 more bytes (interface,
 * protocol, packet type) in each record header.
 */
const VARIANTS = new Map<number, Variant>([
  [0xd4c3b2a1, { isLittleEndian: true, unitsPerUs: 1, recordHeader: 16 }],
  [0xa1b2c3d4, { isLittleEndian: false, unitsPerUs: 1, recordHeader: 16 }],
  [0x4d3cb2a1, { isLittleEndian: true, unitsPerUs: 1000, recordHeader: 16 }],
  [0xa1b23c4d, { isLittleEndian: false, unitsPerUs: 1000, recordHeader: 16 }],
  [0x34cdb2a1, { isLittleEndian: true, unitsPerUs: 1, recordHeader: 24 }],
  [0xa1b2cd34, { isLittleEndian: false, unitsPerUs: 1, recordHeader: 24 }],
]);

/** Whether a file that starts with these four bytes (read as a big-endian number) is a pcap. */
export function isPcapMagic(magic: number): boolean {
  return VARIANTS.has(magic);
}

/**
 * The classic format: draft-ietf-opsawg-pcap.
 *
 *     file    | magic 4 | major 2 | minor 2 | 8 unused | snaplen 4 | link type 4 |
 *     record  | seconds 4 | fraction 4 | captured 4 | on the wire 4 | [8 if modified] | bytes ... |
 */
export class PcapFormat implements RecordFormat {
  start = 0;
  capturedLength = 0;
  wireLength = 0;
  timeUs = 0;
  linkType = 0;
  interfaceId = 0;
  wanted = FILE_HEADER;
  readonly dropped = undefined;
  private isOpen = false;
  private isLittleEndian = true;
  private unitsPerUs = 1;
  private recordHeader = 16;
  private lengthOrder: "right" | "swapped" | "unsure" = "right";

  constructor(private readonly window: ByteWindow) {}

  private u32(at: number): number {
    const b = this.window.bytes;
    return this.isLittleEndian
      ? (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16)) + b[at + 3]! * 0x1000000
      : (b[at + 3]! | (b[at + 2]! << 8) | (b[at + 1]! << 16)) + b[at]! * 0x1000000;
  }

  private more(wanted: number): Step {
    const { window } = this;
    this.wanted = wanted;
    if (!window.isAtEnd) return MORE;
    if (window.at === window.end) return END;
    throw truncated(window.source.name, window.offset, wanted, window.end - window.at);
  }

  private open(): void {
    const { window } = this;
    this.isLittleEndian = false;
    const variant = VARIANTS.get(this.u32(window.at)) as Variant;
    this.isLittleEndian = variant.isLittleEndian;
    this.unitsPerUs = variant.unitsPerUs;
    this.recordHeader = variant.recordHeader;
    const versions = this.u32(window.at + 4);
    const minor = this.isLittleEndian ? versions >>> 16 : versions & 0xffff;
    // Before 2.3 the two lengths stood the other way round; writers of 2.3 did not agree.
    this.lengthOrder = minor < 3 ? "swapped" : minor === 3 ? "unsure" : "right";
    this.linkType = this.u32(window.at + 20) & 0xffff; // the rest tells of a frame check sequence
    window.at += FILE_HEADER;
    this.isOpen = true;
  }

  next(): Step {
    const { window } = this;
    if (!this.isOpen) {
      if (window.end - window.at < FILE_HEADER) return this.more(FILE_HEADER);
      this.open();
    }
    const { at } = window;
    const left = window.end - at;
    const header = this.recordHeader;
    if (left < header) return this.more(header);
    let captured = this.u32(at + 8);
    let wire = this.u32(at + 12);
    if (this.lengthOrder !== "right" && (this.lengthOrder === "swapped" || captured > wire)) {
      [captured, wire] = [wire, captured];
    }
    if (captured > MAX_RECORD) {
      throw damaged(
        window.source.name,
        window.offset,
        `a record claims ${captured} bytes, wanted at most ${MAX_RECORD}`,
      );
    }
    if (left < header + captured) return this.more(header + captured);
    const fraction = this.u32(at + 4);
    this.timeUs =
      this.u32(at) * 1_000_000 + (this.unitsPerUs === 1 ? fraction : Math.floor(fraction / this.unitsPerUs));
    this.start = at + header;
    this.capturedLength = captured;
    this.wireLength = Math.max(wire, captured);
    window.at = at + header + captured;
    return PACKET;
  }
}
