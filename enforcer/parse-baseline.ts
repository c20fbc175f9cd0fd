import { z } from "zod";
import type { CountBaseline } from "./count-baseline.js";

const count = z.number().nonnegative();

const told = z.strictObject({ missed: count, repeated: count, attributed: count, unrecorded: count });

const schema: z.ZodType<CountBaseline> = z.strictObject({
  version: z.literal(1),
  boot: z.string(),
  handle: z.number(),
  counters: z.record(z.string(), count),
  edges: z.record(z.string(), count),
  permits: z.record(z.string(), count),
  told: z.record(z.string(), told),
  reaped: z.record(z.string(), z.record(z.string(), count)),
});

/** @throws {SyntaxError} If the text is not what `JSON.stringify` made of a baseline. */
export function parseBaseline(text: string): CountBaseline {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new SyntaxError("Cannot read the baseline of the counts: it is not one of this version", { cause: error });
  }
}
