import { z } from "zod";
import { encodeDocument, parseDocument } from "./json-document.js";

export const FLOW_LOSS_VERSION = 1;

/** Header `schema` of a message on `portolan.flows` that is a loss instead of a batch. */
export const FLOW_LOSS_SCHEMA = `portolan.flow-loss/${FLOW_LOSS_VERSION}`;

/**
 * - `spool-full`: nobody took batches for so long that the oldest had to go. `disk-full`: the disk took no more.
 * - `memory-full`: the disk was so slow that finished flows filled the memory kept for them.
 * - `damaged`: what was read back from the disk is not what was written. `refused`: the broker will never take it.
 */
const reason = z.enum(["spool-full", "disk-full", "memory-full", "damaged", "refused"]);

const count = z.number().int().nonnegative();

const loss = z
  .object({
    version: z.literal(FLOW_LOSS_VERSION),
    collector: z.string().max(1024),
    boot: z.string().max(1024),
    bucket: count,
    first: count, // sequence of the first batch that will never come
    last: count,
    flows: count, // in all of them
    fromUs: count, // of their packets
    untilUs: count,
    reason,
  })
  .refine(({ first, last }) => first <= last, { error: "wanted first <= last" })
  .refine(({ fromUs, untilUs }) => fromUs <= untilUs, { error: "wanted fromUs <= untilUs" });

/**
 * Batches `first` .. `last` of one stream (collector, boot, bucket) that their collector made and will never send. It
 * travels with the batches of its bucket. It may come twice, before or after the batches around it, and once more with
 * the same `first` and a later `last` when it has become longer: then the longer one holds.
 */
export type FlowLoss = Readonly<z.infer<typeof loss>>;

export function encodeFlowLoss(value: FlowLoss): Uint8Array {
  return encodeDocument(value);
}

/** @throws {SyntaxError} If the bytes are no flow loss. */
export function parseFlowLoss(bytes: Uint8Array): FlowLoss {
  return parseDocument("flow loss", loss, bytes);
}
