import { crc32 } from "node:zlib";
import { z } from "zod";
import type { FlowLoss } from "../../model/flow-loss.js";
import type { EncodedBatch } from "../encoded-batch.js";

/*
 * A segment of the spool is records and nothing else, little-endian:
 *
 *      0  "PSP1"
 *      4  u32 bytes of the head
 *      8  u32 bytes of the body
 *     12  u32 CRC-32 of bytes 4..12 and of the head
 *     16  u32 CRC-32 of the body
 *     20  head: JSON, one of the kinds below
 *      .  body: an encoded batch, or nothing
 *
 * The head has a checksum of its own, so that of a batch whose body is damaged it is still known what is lost.
 */
const MAGIC = 0x31505350;
export const FRAME_BYTES = 20;
const LARGEST_HEAD = 1 << 20;
const LARGEST_BODY = 64 << 20;

const count = z.number().int().nonnegative();
const stream = { collector: z.string(), boot: z.string(), bucket: count };

const head = z.discriminatedUnion("kind", [
  /** First in each segment: the next sequence of those streams that are made again after a crash, see Spool.nextOf. */
  z.object({ kind: z.literal("segment"), next: z.array(z.object({ ...stream, sequence: count })) }),
  z.object({
    kind: z.literal("batch"),
    ...stream,
    sequence: count,
    flows: count,
    fromUs: count,
    untilUs: count,
    madeUs: count,
    isMadeAgain: z.literal(true).optional(),
  }),
  /**
   * All losses that the broker has not been told of, those of earlier such records included. Segments `dropped` went
   * with it: where their files are still there, they count as gone.
   */
  z.object({
    kind: z.literal("loss"),
    losses: z.array(z.custom<FlowLoss>((value) => typeof value === "object")),
    dropped: z.array(count).optional(),
  }),
  /** The process ended in good order. */
  z.object({ kind: z.literal("end") }),
]);

export type SpoolHead = Readonly<z.infer<typeof head>>;
export type BatchHead = Extract<SpoolHead, { kind: "batch" }>;

export function batchHead(batch: EncodedBatch, madeUs: number, isMadeAgain: boolean): BatchHead {
  const { collector, boot, bucket, sequence } = batch.origin;
  const { flows, fromUs, untilUs } = batch;
  const again = isMadeAgain ? { isMadeAgain: true as const } : {};
  return { kind: "batch", collector, boot, bucket, sequence, flows, fromUs, untilUs, madeUs, ...again };
}

const NO_BODY = new Uint8Array(0);

export function encodeRecord(value: SpoolHead, body: Uint8Array = NO_BODY): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const record = Buffer.allocUnsafe(FRAME_BYTES + text.length + body.length);
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(text.length, 4);
  record.writeUInt32LE(body.length, 8);
  record.writeUInt32LE(crc32(text, crc32(record.subarray(4, 12))), 12);
  record.writeUInt32LE(crc32(body), 16);
  text.copy(record, FRAME_BYTES);
  record.set(body, FRAME_BYTES + text.length);
  return record;
}

/** What stands at one place of a segment, and where the next thing begins. */
export type Scanned =
  | { readonly kind: "record"; readonly head: SpoolHead; readonly body: Uint8Array; readonly end: number }
  | { readonly kind: "damaged"; readonly head: SpoolHead; readonly end: number } // its body is not what was written
  | { readonly kind: "noise"; readonly end: number } // bytes that are no record
  | { readonly kind: "torn" }; // the rest: a record whose end is missing, or noise to the end

/** Reads what stands at `at`, which is before the end of `bytes`. Never throws, whatever the bytes are. */
export function scanRecord(bytes: Uint8Array, at: number): Scanned {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = readHead(view, at);
  if (found === undefined) {
    for (let next = view.indexOf("PSP1", at + 1); next >= 0; next = view.indexOf("PSP1", next + 1)) {
      if (readHead(view, next) !== undefined) return { kind: "noise", end: next };
    }
    return { kind: "torn" };
  }
  const bodyAt = at + FRAME_BYTES + view.readUInt32LE(at + 4);
  const end = bodyAt + view.readUInt32LE(at + 8);
  if (end > view.length) {
    // The end of the file, unless the length is wrong in a way that its checksum did not tell.
    return { kind: "torn" };
  }
  const body = view.subarray(bodyAt, end);
  if (crc32(body) !== view.readUInt32LE(at + 16)) return { kind: "damaged", head: found, end };
  return { kind: "record", head: found, body, end };
}

function readHead(view: Buffer, at: number): SpoolHead | undefined {
  if (at + FRAME_BYTES > view.length || view.readUInt32LE(at) !== MAGIC) return undefined;
  const length = view.readUInt32LE(at + 4);
  if (length > LARGEST_HEAD || view.readUInt32LE(at + 8) > LARGEST_BODY) return undefined;
  if (at + FRAME_BYTES + length > view.length) return undefined;
  const text = view.subarray(at + FRAME_BYTES, at + FRAME_BYTES + length);
  if (crc32(text, crc32(view.subarray(at + 4, at + 12))) !== view.readUInt32LE(at + 12)) return undefined;
  try {
    return head.parse(JSON.parse(text.toString()));
  } catch {
    return undefined;
  }
}
