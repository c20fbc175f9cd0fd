import { z } from "zod";

const scope = z.exactOptional(z.string().regex(/^[a-z0-9-]{1,63}$/, { error: "wanted the name of a policy set" }));

/** One line of JSON each way; a connection carries one question. */
export const controlRequestSchema = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("status") }),
  z.strictObject({ verb: z.literal("pause"), scope }),
  z.strictObject({ verb: z.literal("resume"), scope }),
  z.strictObject({ verb: z.literal("rollback"), scope, reason: z.string().max(256) }),
  z.strictObject({ verb: z.literal("promote"), scope: scope.unwrap() }),
  z.strictObject({ verb: z.literal("quarantine"), forMs: z.exactOptional(z.number().int().positive()) }),
  z.strictObject({ verb: z.literal("release") }),
]);

export type ControlRequest = z.infer<typeof controlRequestSchema>;

export const LONGEST_REQUEST = 4096;
