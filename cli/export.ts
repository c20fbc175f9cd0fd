import { Command, Option } from "commander";
import { flagOnly } from "./config/settings.js";
import { EXIT } from "./failure.js";
import { lossLines } from "./loss-lines.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import { modeNamed, TARGET_NAMES, targetNamed } from "./target-option.js";
import { writeFiles } from "./write-files.js";

interface ExportOptions {
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
    .requiredOption("-t, --target <name>", TARGET_NAMES)
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
    .action((options: ExportOptions) => {
      const target = targetNamed(options.target);
      const mode = modeNamed(options.mode, target);
      const { files, losses } = target.render(readPolicy(options.policy), readInventory(options.inventory), {
        mode,
        ...(options.acceptWidenings ? { acceptWidenings: true } : {}),
      });
      writeFiles(options.out, files);
      const refused = losses.filter((loss) => loss.isRefused === true);
      if (options.json) {
        const report = { target: options.target, mode, files: files.map((file) => file.path), losses };
        process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
      } else {
        const lines = [`${files.length} files for ${target.title} in mode ${mode}, written to ${options.out}`];
        if (losses.length > 0) lines.push("What they do not say as the policy does:", ...lossLines(losses));
        if (refused.length > 0) lines.push(`${refused.length} rules were refused; --accept-widenings writes them.`);
        process.stdout.write(`${lines.join("\n")}\n`);
      }
      if (refused.length > 0) process.exitCode = EXIT.no;
    });
}
