import { Command } from "commander";
import { TARGET_NAMES } from "../../policy/formats/target-names.js";
import { EXIT } from "../failure.js";

export interface VerifyOptions {
  readonly policy: string;
  readonly inventory: string;
  readonly target: string;
  readonly bundle: string;
  readonly mode?: string;
  readonly json?: true;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("prove that files mean what the policy says, or show a packet on which they differ")
    .requiredOption("-p, --policy <file>", "policy.json, as written by analyze")
    .requiredOption("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .requiredOption("-t, --target <name>", TARGET_NAMES.join(", "))
    .requiredOption("-b, --bundle <dir>", "folder with the files")
    .option("-m, --mode <mode>", "the mode they must be in (default: any that the target has)")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      `
The files are read by a parser of their own and compared with the policy over all workloads, all other addresses of both
families, every protocol and port. Losses that export declares are allowed for, and printed. Exit code ${EXIT.no}: they differ.

Example:
  portolan verify --policy chart/policy.json --inventory inventory.yaml --target nftables --bundle chart/bundles/nftables`,
    )
    .action(async (options: VerifyOptions) => (await import("../verify.js")).verify(options));
}
