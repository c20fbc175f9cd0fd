import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from "jose";
import { z } from "zod";
import { TrustError } from "./trust-error.js";

/** The only algorithm there is: Ed25519, which JWS calls EdDSA. */
export const ALGORITHM = "EdDSA";

const octets32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: "wanted 32 bytes in base64url" });

const privateJwk = z.strictObject({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: octets32,
  d: octets32,
  kid: z.string(),
});

/** A private key that signs; it never leaves this object as text. */
export interface SigningKey {
  readonly id: string;
  readonly publicKey: string; // 32 bytes, base64url
  readonly key: CryptoKey;
}

/** The thumbprint of a public key (RFC 7638): a key cannot be given another's name. */
export function keyIdOf(publicKey: string): Promise<string> {
  return calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: publicKey });
}

/** A new key pair: the file of the private key, and what may be shown. */
export async function generateSigningKey(): Promise<{ id: string; publicKey: string; privateFile: string }> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: "Ed25519", extractable: true });
  const { x = "", d = "" } = await exportJWK(privateKey);
  const id = await keyIdOf(x);
  return { id, publicKey: x, privateFile: `${JSON.stringify({ kty: "OKP", crv: "Ed25519", x, d, kid: id })}\n` };
}

/**
 * Reads a private key file.
 * @throws {TrustError} `bad-key`; the text of the file is never part of the message.
 */
export async function parseSigningKey(text: string): Promise<SigningKey> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause would quote the file.
    throw new TrustError("bad-key", "Cannot read signing key: wanted the JSON that `portolan keygen` writes");
  }
  const parsed = privateJwk.safeParse(value);
  if (!parsed.success || parsed.data.kid !== (await keyIdOf(parsed.data.x))) {
    throw new TrustError("bad-key", "Cannot read signing key: wanted a private Ed25519 key with its own key id");
  }
  const { x, kid } = parsed.data;
  const key = (await importJWK(parsed.data, ALGORITHM)) as CryptoKey;
  return { id: kid, publicKey: x, key };
}
