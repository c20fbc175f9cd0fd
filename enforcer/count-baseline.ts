import { z } from "zod";

const count = z.number().nonnegative();

/** How far one scope has been told. */
const told = z.strictObject({
  missed: count, // packets; these four add up since the table was made
  repeated: count,
  attributed: count, // attempts that stood in edges
  unrecorded: count, // as told
});

const schema = z.strictObject({
  version: z.literal(1),
  boot: z.string(), // of the machine
  handle: z.number(), // of the table
  counters: z.record(z.string(), count),
  edges: z.record(z.string(), count), // packets by "SET KEY"
  permits: z.record(z.string(), count),
  told: z.record(z.string(), told),
  /** Hits of permits whose generation was reaped after the last report, by scope and rule. */
  reaped: z.record(z.string(), z.record(z.string(), count)),
});

/**
 * Where the counting stands: what the kernel had counted when it was last asked. Kept with the reports that were made of
 * it, so that the next process neither loses nor repeats a packet.
 */
export type CountBaseline = z.infer<typeof schema>;

export function emptyBaseline(boot: string, handle: number): CountBaseline {
  return { version: 1, boot, handle, counters: {}, edges: {}, permits: {}, told: {}, reaped: {} };
}

/** @throws {SyntaxError} If the text is not what `JSON.stringify` made of a baseline. */
export function parseBaseline(text: string): CountBaseline {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new SyntaxError("Cannot read the baseline of the counts: it is not one of this version", { cause: error });
  }
}
