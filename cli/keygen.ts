import { basename, dirname } from "node:path";
import { type Keyring, parseKeyring, renderKeyring, type TrustedKey } from "../policy/trust/keyring.js";
import { generateSigningKey } from "../policy/trust/signing-key.js";
import { readKeyringIfAny, writePrivateFile } from "./trust-files.js";
import type { KeygenOptions } from "./verbs/keygen.js";
import { writeFiles } from "./write-files.js";

const DAY_MS = 24 * 3_600_000;

export async function keygen(options: KeygenOptions): Promise<void> {
  const before: Keyring = (options.keyring === undefined ? undefined : await readKeyringIfAny(options.keyring)) ?? {
    version: 1,
    fourEyes: true,
    keys: [],
  };
  const { id, publicKey, privateFile } = await generateSigningKey();
  const now = Math.floor(Date.now() / 1000) * 1000;
  const entry: TrustedKey = {
    id,
    person: options.person,
    publicKey,
    roles: options.roles,
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
    notBefore: new Date(now).toISOString(),
    notAfter: new Date(now + options.validDays * DAY_MS).toISOString(),
  };
  const text = renderKeyring({ ...before, keys: [...before.keys, entry] });
  await parseKeyring(text); // a name that the keyring would not take is refused before a key exists
  writePrivateFile(options.out, privateFile);
  if (options.keyring === undefined) {
    process.stdout.write(`${JSON.stringify(entry, undefined, 2)}\n`);
    return;
  }
  writeFiles(dirname(options.keyring), [{ path: basename(options.keyring), text }]);
  process.stdout.write(`key ${id} of ${options.person}: private in ${options.out}, public in ${options.keyring}\n`);
}
