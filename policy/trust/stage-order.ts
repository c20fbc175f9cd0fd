import { z } from "zod";
import { openEnvelope } from "./envelope.js";
import { STAGES } from "./stage.js";
import { TrustError } from "./trust-error.js";
import type { TrustContext } from "./verify-policy.js";

const stageOrderSchema = z.strictObject({
  version: z.literal(1),
  scope: z.string().regex(/^[a-z0-9-]{1,63}$/),
  generation: z.number().int().min(1),
  policyHash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  stage: z.enum(STAGES),
  sequence: z
    .number()
    .int()
    .min(1)
    .max(2 ** 53 - 1), // of this scope's stage orders: an older one is not taken
  expires: z.iso.datetime(),
});

/** Moves hosts of one accepted policy between audit and deny. It can say nothing about what is permitted. */
export type StageOrder = z.infer<typeof stageOrderSchema>;

/**
 * Verifies a stage order, which a promoter signs.
 * @throws {TrustError} The first reason against it.
 */
export async function verifyStage(bytes: Uint8Array, context: Omit<TrustContext, "accepted">): Promise<StageOrder> {
  const { document, keys, vouchings } = await openEnvelope(bytes, "portolan-stage+jws", context.keyring, context.nowMs);
  if (!vouchings.some(({ role }) => role === "promoter")) {
    throw new TrustError("not-signed", "Cannot accept stage order: no promoter vouches for it");
  }
  const parsed = stageOrderSchema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    throw new TrustError("bad-payload", `Cannot read stage order: field "${issue.path.join(".")}": ${issue.message}`);
  }
  const order = parsed.data;
  const isDelivered = context.scope === undefined || context.scope === order.scope;
  const isTaken = context.scopes === undefined || context.scopes.includes(order.scope);
  if (!isDelivered || !isTaken || keys.some((key) => key.scopes !== undefined && !key.scopes.includes(order.scope))) {
    throw new TrustError(
      "wrong-scope",
      `Cannot accept stage order of scope "${order.scope}": not for this host or key`,
    );
  }
  if (context.nowMs >= Date.parse(order.expires)) {
    throw new TrustError("expired", `Cannot accept stage order of "${order.scope}": it expired at ${order.expires}`);
  }
  return order;
}
