import { Command, Option } from "commander";
import { TARGET_NAMES } from "../../policy/formats/target-names.js";
import { flagOnly } from "../config/settings.js";
import { EXIT } from "../failure.js";

export interface ExportOptions {
  readonly policy: string;
  readonly inventory: string;
  readonly target: string;
  readonly out: string;
  readonly mode?: string;
  readonly acceptWidenings?: true;
  readonly json?: true;
}

export function exportCommand(): Command {
  return new Command("export")
    .description("write a policy as files that one plane understands")
    .requiredOption("-p, --policy <file>", "policy.json, as written by analyze")
    .requiredOption("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .requiredOption("-t, --target <name>", TARGET_NAMES.join(", "))
    .requiredOption("-o, --out <dir>", "folder for the files")
    .option("-m, --mode <mode>", "audit or deny (default: the gentlest that the target has)")
    .addOption(
      flagOnly(new Option("--accept-widenings", "write also rules that the target can only say by allowing more")),
    )
    .option("--json", "print what was written and lost as JSON")
    .addHelpText(
      "after",
      `
The folder gets the files, sorted, and a README on how to apply them and how to take them back. What the target cannot
say is printed and stands in the README. Exit code ${EXIT.no}: a rule was refused because it would allow more than it says.

Example:
  portolan export --policy chart/policy.json --inventory inventory.yaml --target cilium --out bundle`,
    )
    .action(async (options: ExportOptions) => (await import("../export.js")).exportPolicy(options));
}
