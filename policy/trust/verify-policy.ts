import type { Inventory } from "../../model/workload.js";
import { canonicalHash } from "./canonical-json.js";
import { openEnvelope, type Vouching } from "./envelope.js";
import type { Keyring, TrustedKey } from "./keyring.js";
import { type PolicyOrder, parsePolicyOrder, renderedInventory } from "./policy-order.js";
import { TrustError } from "./trust-error.js";

/** What an enforcer knows that a signature cannot say. */
export interface TrustContext {
  readonly keyring: Keyring;
  readonly nowMs: number; // wall clock
  /** Scopes that this host takes orders of; absent: any. */
  readonly scopes?: readonly string[];
  /** The scope that the carrier delivered it as. */
  readonly scope?: string;
  /** The order of this scope that was accepted last, its generation and hash. */
  readonly accepted?: (scope: string) => { readonly generation: number; readonly hash: string } | undefined;
}

/** An order that may be acted on. */
export interface VerifiedPolicy {
  readonly order: PolicyOrder;
  readonly inventory: Inventory; // the snapshot of its approval
  readonly hash: string; // of the order; what two hosts compare to know that they hold the same
  readonly vouchings: readonly Vouching[];
}

function checkScope(scope: string, keys: readonly TrustedKey[], { scopes, scope: delivered }: TrustContext): void {
  const refuse = (why: string) => new TrustError("wrong-scope", `Cannot accept policy of scope "${scope}": ${why}`);
  if (delivered !== undefined && delivered !== scope) throw refuse(`it was delivered as "${delivered.slice(0, 64)}"`);
  if (scopes !== undefined && !scopes.includes(scope)) throw refuse(`this host takes ${scopes.join(", ")}`);
  for (const key of keys) {
    if (key.scopes !== undefined && !key.scopes.includes(scope)) {
      throw refuse(`the key of ${key.person} vouches for ${key.scopes.join(", ")} alone`);
    }
  }
}

function checkTime(
  { scope, notBefore, expires }: { scope: string; notBefore: string; expires: string },
  nowMs: number,
) {
  const now = new Date(nowMs).toISOString();
  if (nowMs < Date.parse(notBefore)) {
    throw new TrustError("not-yet-valid", `Cannot accept policy "${scope}" at ${now}: it is valid from ${notBefore}`);
  }
  if (nowMs >= Date.parse(expires)) {
    throw new TrustError("expired", `Cannot accept policy "${scope}" at ${now}: it expired at ${expires}`);
  }
}

/**
 * Whether author and approver are two people: neither one key nor two keys of one person.
 * @throws {TrustError} `not-approved` or `same-person`.
 */
export function checkFourEyes(vouchings: readonly Pick<Vouching, "role" | "person">[]): void {
  const peopleOf = (role: Vouching["role"]) => new Set(vouchings.filter((v) => v.role === role).map((v) => v.person));
  const [authors, approvers] = [peopleOf("author"), peopleOf("approver")];
  if (authors.size === 0 || approvers.size === 0) {
    const missing = authors.size === 0 ? "author" : "approver";
    throw new TrustError(
      "not-approved",
      `Cannot accept policy: no ${missing} vouches for it, wanted author and approver`,
    );
  }
  for (const person of approvers) {
    if (authors.has(person)) {
      throw new TrustError("same-person", `Cannot accept policy: ${person} wrote and approved it, wanted two people`);
    }
  }
}

function checkGeneration({ scope, generation }: PolicyOrder, hash: string, { accepted }: TrustContext): void {
  const last = accepted?.(scope);
  if (last === undefined || generation > last.generation) return;
  if (generation < last.generation) {
    throw new TrustError(
      "replayed",
      `Cannot accept policy "${scope}" generation ${generation}: ${last.generation} was accepted before; a rollback is a new generation`,
    );
  }
  if (hash !== last.hash) {
    throw new TrustError(
      "generation-reused",
      `Cannot accept policy "${scope}" generation ${generation}: another one with this number was accepted before`,
    );
  }
}

/**
 * Decides whether a host may act on what it was sent. Cheap checks come first, nothing of the payload is read before every
 * signature over it holds, and the ruleset is rendered last.
 * @throws {TrustError} The first reason against it; the caller keeps what it has.
 */
export async function verifyPolicy(bytes: Uint8Array, context: TrustContext): Promise<VerifiedPolicy> {
  const { keyring, nowMs } = context;
  const { document, vouchings, keys } = await openEnvelope(bytes, "portolan-policy+jws", keyring, nowMs);
  if (!vouchings.some(({ role }) => role === "signer")) {
    throw new TrustError("not-signed", "Cannot accept policy: no signer vouches for it");
  }
  if (keyring.fourEyes) checkFourEyes(vouchings);
  const order = parsePolicyOrder(document);
  const hash = canonicalHash(order);
  checkScope(order.scope, keys, context);
  checkTime(order, nowMs);
  checkGeneration(order, hash, context);
  return { order, inventory: renderedInventory(order), hash, vouchings };
}
