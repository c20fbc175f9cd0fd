import { canonicalHash } from "./canonical-json.js";
import { parseEnvelope, unverifiedDocument } from "./envelope.js";
import { parsePolicyOrder, renderedInventory } from "./policy-order.js";
import type { VerifiedPolicy } from "./verify-policy.js";

/** An order that was verified when it was accepted. */
export type HeldPolicy = Omit<VerifiedPolicy, "vouchings">;

/**
 * Reads back an order that the host itself kept. Neither keys nor times are asked again: what is in force stays in force
 * when a key is rotated or revoked or the order expires, and who can write the host's own folder can write its kernel.
 * @throws {TrustError} If it is damaged, or renders to something else than what was signed.
 */
export function restorePolicy(bytes: Uint8Array): HeldPolicy {
  const order = parsePolicyOrder(unverifiedDocument(parseEnvelope(bytes)));
  return { order, inventory: renderedInventory(order), hash: canonicalHash(order) };
}
