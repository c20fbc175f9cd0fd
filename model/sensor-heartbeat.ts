import { z } from "zod";
import { encodeDocument, parseDocument } from "./json-document.js";

export const HEARTBEAT_VERSION = 1;

/** Header `schema` of a heartbeat's message. */
export const HEARTBEAT_SCHEMA = `portolan.sensor-heartbeat/${HEARTBEAT_VERSION}`;

/** How often a sensor tells that it lives. Three missed ones in a row are worth a person's look. */
export const HEARTBEAT_EVERY_MS = 10_000;

const count = z.number().int().nonnegative();
const text = z.string().max(1024);

const watched = z.object({
  name: text, // interface, or file
  program: text, // what captures: tcpdump, cap, file
  packets: count, // since the start
  dropped: z.union([count, z.literal("unknown")]), // packets that were not seen
  waiting: text.optional(), // why nothing is captured now; absent while it works
});

const spool = z.object({
  bytes: count, // on disk
  batches: count, // not acknowledged yet
  oldestUs: count.optional(), // when the oldest of them was made; absent when there is none
  lostBatches: count, // since the start, because there was no room
  lostFlows: count,
  fault: text.optional(), // why the disk takes nothing now; absent while it does
});

export const heartbeatSchema = z.object({
  version: z.literal(HEARTBEAT_VERSION),
  sensor: text.min(1),
  kind: z.enum(["collector", "enforcer", "analyzer"]),
  boot: text,
  atUs: count, // by the sensor's clock
  startedUs: count,
  software: text,
  interfaces: z.array(watched).max(1024).readonly(),
  spool: spool.optional(),
  lagMs: z.number().nonnegative().optional(), // how long what was seen has waited to be taken; 0 when nothing waits
  clockOffsetMs: z.number().optional(), // sensor's clock minus broker's; put in by who receives it, where it can be told
  ended: z.literal(true).optional(), // the last one: it was told to end, nobody need miss it
});

/** That a sensor lives, and how well it sees. Fields that a later version adds are passed over. */
export type SensorHeartbeat = Readonly<z.infer<typeof heartbeatSchema>>;
export type WatchedInterface = Readonly<z.infer<typeof watched>>;

export function encodeHeartbeat(beat: SensorHeartbeat): Uint8Array {
  return encodeDocument(beat);
}

/** @throws {SyntaxError} If the bytes are no heartbeat. */
export function parseHeartbeat(bytes: Uint8Array): SensorHeartbeat {
  return parseDocument("sensor heartbeat", heartbeatSchema, bytes);
}
