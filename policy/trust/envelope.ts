import { gunzipSync, gzipSync } from "node:zlib";
import { FlattenedSign, flattenedVerify, importJWK } from "jose";
import { z } from "zod";
import { canonicalJson } from "./canonical-json.js";
import { type Keyring, type TrustedKey, trustedKeyFor } from "./keyring.js";
import { ROLES, type Role } from "./roles.js";
import { ALGORITHM, type SigningKey } from "./signing-key.js";
import { TrustError } from "./trust-error.js";

/**
 * A document and the signatures over it: JWS in its general JSON form (RFC 7515). The payload is the gzip of canonical
 * JSON. What a signature vouches for stands in its protected header, so that it cannot be taken for another:
 *
 *     { "payload": "H4sI...", "signatures": [ { "protected": "{alg, typ, kid, role, at}", "signature": "..." } ] }
 */
export const MAX_ENVELOPE_BYTES = 8 * 1024 * 1024;
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
const MAX_SIGNATURES = 8;

/** What kind of document is signed; a signature over one kind is none over another. */
export type DocumentType = "portolan-policy+jws" | "portolan-stage+jws";

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/, { error: "wanted base64url" });

const envelopeSchema = z.strictObject({
  payload: base64url,
  signatures: z
    .array(z.strictObject({ protected: base64url.max(2048), signature: base64url.max(256) }))
    .max(MAX_SIGNATURES),
});

const headerSchema = z.strictObject({
  alg: z.string(),
  typ: z.string(),
  kid: z.string().max(128),
  role: z.enum(ROLES),
  at: z.iso.datetime(),
});

export interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly protected: string; readonly signature: string }[];
}

/** A signature that was verified. `at` is what the signer's clock said: shown, and never decisive. */
export interface Vouching {
  readonly role: Role;
  readonly keyId: string;
  readonly person: string;
  readonly at: string;
}

export function sealDocument(document: unknown): Envelope {
  return { payload: gzipSync(canonicalJson(document)).toString("base64url"), signatures: [] };
}

export async function addSignature(
  envelope: Envelope,
  type: DocumentType,
  key: SigningKey,
  role: Role,
  nowMs: number,
): Promise<Envelope> {
  const header = { alg: ALGORITHM, typ: type, kid: key.id, role, at: new Date(nowMs).toISOString() };
  const signed = await new FlattenedSign(Buffer.from(envelope.payload, "base64url"))
    .setProtectedHeader(header)
    .sign(key.key);
  const signature = { protected: signed.protected as string, signature: signed.signature };
  return { payload: envelope.payload, signatures: [...envelope.signatures, signature] };
}

export function renderEnvelope(envelope: Envelope): string {
  return `${JSON.stringify(envelope)}\n`;
}

const notAnEnvelope = (what: string, cause?: unknown) =>
  new TrustError("not-an-envelope", `Cannot read signed document: ${what}`, { cause });

/** @throws {TrustError} `too-large` before anything is parsed, or `not-an-envelope`. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) {
    throw new TrustError(
      "too-large",
      `Cannot read signed document of ${bytes.byteLength} bytes: wanted at most ${MAX_ENVELOPE_BYTES}`,
    );
  }
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw notAnEnvelope("it is cut short, or not JSON at all", error);
  }
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    throw notAnEnvelope(`field "${issue.path.join(".")}": ${issue.message}`);
  }
  // A member that is there twice would be one thing to us and another to the next reader.
  if (JSON.stringify(value) !== text.trim()) {
    throw new TrustError(
      "not-canonical",
      "Cannot read signed document: a member is there twice, or it was reformatted",
    );
  }
  return parsed.data;
}

/** The document without any check of who vouches for it: to show it, never to act on it. */
export function unverifiedDocument(envelope: Envelope): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(
      gunzipSync(Buffer.from(envelope.payload, "base64url"), { maxOutputLength: MAX_DOCUMENT_BYTES }),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new TrustError("too-large", `Cannot unpack signed document: wanted at most ${MAX_DOCUMENT_BYTES} bytes`);
    }
    throw new TrustError("bad-payload", "Cannot unpack signed document: wanted gzip of JSON", { cause: error });
  }
  let value: unknown;
  let canonical: string;
  try {
    value = JSON.parse(text);
    canonical = canonicalJson(value);
  } catch (error) {
    throw new TrustError("bad-payload", "Cannot read signed document: its payload is no JSON of ours", {
      cause: error,
    });
  }
  if (canonical !== text) {
    throw new TrustError(
      "not-canonical",
      "Cannot read signed document: its payload has a member twice, or another spelling than the canonical one",
    );
  }
  return value;
}

/** Who claims to vouch, unverified, for a list that people read. */
export function claimedSignatures(envelope: Envelope): { role: Role; keyId: string; at: string }[] {
  return envelope.signatures.map((signature) => {
    const { role, kid, at } = readHeader(signature.protected);
    return { role, keyId: kid, at };
  });
}

function readHeader(text: string): z.infer<typeof headerSchema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch (error) {
    throw notAnEnvelope("a signature's header is not JSON", error);
  }
  const alg = typeof value === "object" && value !== null && "alg" in value ? String(value.alg) : "none";
  if (alg !== ALGORITHM) {
    throw new TrustError(
      "wrong-algorithm",
      `Cannot trust signature by algorithm ${JSON.stringify(alg.slice(0, 32))}: wanted ${ALGORITHM}`,
    );
  }
  const parsed = headerSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    throw notAnEnvelope(`a signature's header, field "${issue.path.join(".")}": ${issue.message}`);
  }
  return parsed.data;
}

/**
 * The document and everybody who vouches for it. One signature that does not hold spoils the envelope: nobody of ours
 * writes such a thing.
 * @throws {TrustError} The first thing that is wrong.
 */
export async function openEnvelope(
  bytes: Uint8Array,
  type: DocumentType,
  keyring: Keyring,
  nowMs: number,
): Promise<{ document: unknown; vouchings: Vouching[]; keys: TrustedKey[] }> {
  const envelope = parseEnvelope(bytes);
  if (envelope.signatures.length === 0) {
    throw new TrustError("not-signed", "Cannot trust document: it bears no signature");
  }
  const vouchings: Vouching[] = [];
  const keys: TrustedKey[] = [];
  for (const { protected: header, signature } of envelope.signatures) {
    const { typ, kid, role, at } = readHeader(header);
    if (typ !== type) throw notAnEnvelope(`a signature is over "${typ.slice(0, 64)}", wanted "${type}"`);
    const key = trustedKeyFor(keyring, kid, role, nowMs);
    const publicKey = await importJWK({ kty: "OKP", crv: "Ed25519", x: key.publicKey }, ALGORITHM);
    try {
      await flattenedVerify({ payload: envelope.payload, protected: header, signature }, publicKey, {
        algorithms: [ALGORITHM],
      });
    } catch (error) {
      throw new TrustError("bad-signature", `Cannot trust signature of ${key.person} (key "${kid}"): it does not fit`, {
        cause: error,
      });
    }
    vouchings.push({ role, keyId: kid, person: key.person, at });
    keys.push(key);
  }
  return { document: unverifiedDocument(envelope), vouchings, keys };
}
