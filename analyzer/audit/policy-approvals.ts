import {
  claimedSignatures,
  openEnvelope,
  parseEnvelope,
  unverifiedDocument,
  type Vouching,
} from "../../policy/trust/envelope.js";
import type { Keyring } from "../../policy/trust/keyring.js";
import { type PolicyOrder, parsePolicyOrder } from "../../policy/trust/policy-order.js";
import { TrustError } from "../../policy/trust/trust-error.js";
import type { AuditEntry } from "./audit-trail.js";

/** Whether the signatures hold: `unchecked` without a keyring, and then people are only claimed. */
export type ApprovalTrust =
  | { readonly kind: "verified" }
  | { readonly kind: "unchecked" }
  | { readonly kind: "refused"; readonly reason: string };

/** A signed policy set as it was published. */
export interface PolicyApproval {
  readonly entry: number; // in the audit trail
  readonly receivedUs: number;
  readonly order: PolicyOrder | undefined; // absent when it cannot be read
  readonly signatures: readonly {
    readonly role: string;
    readonly keyId: string;
    readonly person?: string;
    readonly at: string;
  }[];
  readonly trust: ApprovalTrust;
}

const reasonOf = (error: unknown) => (error as Error).message.split("\n")[0] ?? "";

function claimed(bytes: Uint8Array): Pick<PolicyApproval, "order" | "signatures"> {
  try {
    const envelope = parseEnvelope(bytes);
    return { order: parsePolicyOrder(unverifiedDocument(envelope)), signatures: claimedSignatures(envelope) };
  } catch {
    return { order: undefined, signatures: [] };
  }
}

/**
 * Who approved what: what a published policy says of itself, and whether its signatures held when it came. A policy that
 * enforcers would refuse is listed with the reason, since somebody published it.
 */
export async function approvalOf(entry: AuditEntry, keyring: Keyring | undefined): Promise<PolicyApproval> {
  const bytes = Buffer.from(entry.text);
  const base = { entry: entry.number, receivedUs: entry.receivedUs };
  if (keyring === undefined) {
    const told = claimed(bytes);
    const trust: ApprovalTrust =
      told.order === undefined ? { kind: "refused", reason: "it cannot be read" } : { kind: "unchecked" };
    return { ...base, ...told, trust };
  }
  try {
    const opened = await openEnvelope(bytes, "portolan-policy+jws", keyring, entry.receivedUs / 1000);
    const vouchings: readonly Vouching[] = opened.vouchings;
    return { ...base, order: parsePolicyOrder(opened.document), signatures: vouchings, trust: { kind: "verified" } };
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return { ...base, ...claimed(bytes), trust: { kind: "refused", reason: reasonOf(error) } };
  }
}
