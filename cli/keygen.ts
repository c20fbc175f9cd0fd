import { basename, dirname } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import {
  type Keyring,
  parseKeyring,
  ROLES,
  type Role,
  renderKeyring,
  type TrustedKey,
} from "../policy/trust/keyring.js";
import { generateSigningKey } from "../policy/trust/signing-key.js";
import { readKeyringIfAny, writePrivateFile } from "./trust-files.js";
import { wholeNumber } from "./whole-number.js";
import { writeFiles } from "./write-files.js";

interface KeygenOptions {
  readonly person: string;
  readonly roles: readonly Role[];
  readonly scopes?: readonly string[];
  readonly validDays: number;
  readonly out: string;
  readonly keyring?: string;
}

const DAY_MS = 24 * 3_600_000;

function roles(text: string): Role[] {
  return text.split(",").map((name) => {
    const role = ROLES.find((each) => each === name.trim());
    if (role === undefined) throw new InvalidArgumentError(`wanted some of ${ROLES.join(", ")}`);
    return role;
  });
}

const names = (text: string) => text.split(",").map((name) => name.trim());

export function keygenCommand(): Command {
  return new Command("keygen")
    .description("make a key pair that vouches for policies, and enter it into a keyring")
    .requiredOption("-p, --person <name>", "whose key it is, such as alice@example.com")
    .requiredOption("-r, --roles <role,...>", `what it may vouch for: ${ROLES.join(", ")}`, roles)
    .requiredOption("-o, --out <file>", "where the private key goes; mode 0600, never overwritten")
    .option("--scopes <name,...>", "policy sets it may vouch for (default: all)", names)
    .option("--valid-days <days>", "how long it is valid", wholeNumber(1, 3660), 365)
    .option("-k, --keyring <file>", "keyring that gets its public half (default: printed)")
    .addHelpText(
      "after",
      `
The private key is written to the file alone and never printed. A new keyring wants two people for each policy (fourEyes).

Example:
  portolan keygen --person alice@example.com --roles author --out alice.key --keyring keyring.json`,
    )
    .action(async (options: KeygenOptions) => {
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
    });
}
