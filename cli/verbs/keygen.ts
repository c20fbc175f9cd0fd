import { Command, InvalidArgumentError } from "commander";
import { ROLES, type Role } from "../../policy/trust/roles.js";
import { wholeNumber } from "../whole-number.js";

export interface KeygenOptions {
  readonly person: string;
  readonly roles: readonly Role[];
  readonly scopes?: readonly string[];
  readonly validDays: number;
  readonly out: string;
  readonly keyring?: string;
}

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
    .action(async (options: KeygenOptions) => (await import("../keygen.js")).keygen(options));
}
