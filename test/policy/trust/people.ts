import { addSignature, type Envelope, renderEnvelope, sealDocument } from "../../../policy/trust/envelope.js";
import type { Keyring, TrustedKey } from "../../../policy/trust/keyring.js";
import type { Role } from "../../../policy/trust/roles.js";
import { generateSigningKey, parseSigningKey, type SigningKey } from "../../../policy/trust/signing-key.js";

export const NOW = Date.parse("2026-06-01T12:00:00Z");
export const DAY = 24 * 3_600_000;

export interface Person {
  readonly signing: SigningKey;
  readonly trusted: TrustedKey;
}

export async function person(name: string, roles: readonly Role[], more: Partial<TrustedKey> = {}): Promise<Person> {
  const { id, publicKey, privateFile } = await generateSigningKey();
  const trusted: TrustedKey = {
    id,
    person: name,
    publicKey,
    roles,
    notBefore: "2026-01-01T00:00:00.000Z",
    notAfter: "2027-01-01T00:00:00.000Z",
    ...more,
  };
  return { signing: await parseSigningKey(privateFile), trusted };
}

export function keyringOf(people: readonly Person[], fourEyes = true): Keyring {
  return { version: 1, fourEyes, keys: people.map((each) => each.trusted) };
}

export type Signature = readonly [Person, Role];

/** A document signed by these people, in these roles. */
export async function signed(document: unknown, by: readonly Signature[], nowMs = NOW): Promise<Envelope> {
  let envelope = sealDocument(document);
  for (const [who, role] of by) {
    envelope = await addSignature(envelope, "portolan-policy+jws", who.signing, role, nowMs);
  }
  return envelope;
}

export const bytesOf = (envelope: Envelope) => Buffer.from(renderEnvelope(envelope));
