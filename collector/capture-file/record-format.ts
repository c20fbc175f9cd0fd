import { CaptureError } from "./capture-error.js";

/** A record longer than this is damage: libpcap itself never writes more than 256 KiB, USB captures apart. */
export const MAX_RECORD = 16 * 1024 * 1024;

export const PACKET = 0; // a packet is ready
export const MORE = 1; // wants `wanted` bytes in the window
export const END = 2; // the capture ended where a record ends
export type Step = typeof PACKET | typeof MORE | typeof END;

/**
 * The packet in hand of a capture. `bytes[start .. start + capturedLength)` is valid until the next call of `next`.
 */
export interface PacketRecord {
  start: number;
  capturedLength: number;
  wireLength: number; // at least `capturedLength`
  timeUs: number; // microseconds since the Unix epoch, fractions dropped
  linkType: number; // LINKTYPE_ number
  interfaceId: number; // 0 for pcap; counts over all sections of a pcapng
}

/** Steps from record to record through a window. */
export interface RecordFormat extends PacketRecord {
  wanted: number;
  /** Packets that the capturing host says it lost; `undefined` when the file does not tell. */
  readonly dropped: number | undefined;
  next(): Step;
}

export function truncated(file: string, offset: number, wanted: number, left: number): CaptureError {
  return new CaptureError(
    "truncated",
    file,
    offset,
    `Cannot read capture "${file}" to its end: the record at byte ${offset} wants ${wanted} bytes, ${left} are left`,
  );
}

export function damaged(file: string, offset: number, what: string): CaptureError {
  return new CaptureError("damaged", file, offset, `Cannot read capture "${file}" past byte ${offset}: ${what}`);
}
