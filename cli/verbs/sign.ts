import { Command } from "commander";
import type { PolicyMode } from "../../policy/policy-set.js";
import { withOrderOptions } from "../order-option.js";

export interface SignOptions {
  readonly approval?: string;
  readonly policy?: string;
  readonly inventory?: string;
  readonly generation?: number;
  readonly mode: PolicyMode;
  readonly settings?: string;
  readonly validDays: number;
  readonly key: string;
  readonly keyring: string;
  readonly out: string;
  readonly json?: true;
}

export function signCommand(): Command {
  return withOrderOptions(new Command("sign").description("release an approved policy to enforcers"))
    .option("-a, --approval <file>", "what author and approver vouched for")
    .requiredOption("-k, --key <file>", "your private key, whose role is signer")
    .requiredOption("--keyring <file>", "the keys that enforcers trust: what they would refuse is not signed")
    .requiredOption("-o, --out <file>", "where the signed policy goes")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      `
Without --approval the policy is sealed and signed at once, for keyrings that do not want two people (fourEyes: false).

Example:
  portolan sign --approval shop.approval --key release.key --keyring keyring.json --out shop.signed`,
    )
    .action(async (options: SignOptions) => (await import("../sign.js")).sign(options));
}
