import { z } from "zod";
import { ROLES, type Role } from "./roles.js";
import { keyIdOf } from "./signing-key.js";
import { TrustError } from "./trust-error.js";

const time = z.string().refine((text) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)), {
  error: "wanted a time such as 2026-01-31T00:00:00Z",
});

const trustedKey = z.strictObject({
  id: z.string(),
  person: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/, { error: "wanted a name such as alice@example.com" }),
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: "wanted 32 bytes in base64url" }),
  roles: z.array(z.enum(ROLES)).min(1).readonly(),
  scopes: z.exactOptional(z.array(z.string()).min(1).readonly()), // absent: every scope
  notBefore: time,
  notAfter: time,
  revoked: z.exactOptional(z.strictObject({ at: time, reason: z.string().max(256) })),
});

const keyringSchema = z.strictObject({
  version: z.literal(1),
  fourEyes: z.boolean(),
  keys: z.array(trustedKey).max(1000).readonly(),
});

export type TrustedKey = z.infer<typeof trustedKey>;

/** The keys that a host trusts. It is a local file of root's: nothing that comes by network changes it. */
export type Keyring = z.infer<typeof keyringSchema>;

/**
 * Reads a keyring. A key whose id is not its own thumbprint, or that is there twice, makes the whole ring unusable: half a
 * keyring is not what its owner wrote.
 * @throws {TrustError} `bad-keyring`, with the field.
 */
export async function parseKeyring(text: string): Promise<Keyring> {
  const bad = (what: string) => new TrustError("bad-keyring", `Cannot read keyring: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(`it is not JSON (${(error as Error).message})`);
  }
  const parsed = keyringSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    throw bad(`field "${issue.path.join(".")}": ${issue.message}`);
  }
  const ids = new Set<string>();
  for (const { id, publicKey, person } of parsed.data.keys) {
    if (id !== (await keyIdOf(publicKey))) throw bad(`key "${id}" of ${person}: the id is not its thumbprint`);
    if (ids.has(id)) throw bad(`key "${id}" of ${person}: it is there twice`);
    ids.add(id);
  }
  return parsed.data;
}

export function renderKeyring(keyring: Keyring): string {
  return `${JSON.stringify(keyring, null, 2)}\n`;
}

/**
 * The key that may vouch in this role now. A revoked key vouches for nothing, whatever time a signature claims: the
 * claim is made by whoever holds the key.
 * @throws {TrustError} `unknown-key`, `revoked-key`, `key-not-valid` or `wrong-role`.
 */
export function trustedKeyFor(keyring: Keyring, id: string, role: Role, nowMs: number): TrustedKey {
  const key = keyring.keys.find((each) => each.id === id);
  if (key === undefined) {
    throw new TrustError("unknown-key", `Cannot trust key "${id.slice(0, 64)}": the keyring does not hold it`);
  }
  const name = `"${id}" of ${key.person}`;
  if (key.revoked !== undefined) {
    throw new TrustError(
      "revoked-key",
      `Cannot trust key ${name}: revoked at ${key.revoked.at}, ${key.revoked.reason}`,
    );
  }
  if (nowMs < Date.parse(key.notBefore) || nowMs >= Date.parse(key.notAfter)) {
    const now = new Date(nowMs).toISOString();
    throw new TrustError(
      "key-not-valid",
      `Cannot trust key ${name} at ${now}: it is valid from ${key.notBefore} until ${key.notAfter}`,
    );
  }
  if (!key.roles.includes(role)) {
    throw new TrustError("wrong-role", `Cannot trust key ${name} as ${role}: its roles are ${key.roles.join(", ")}`);
  }
  return key;
}
