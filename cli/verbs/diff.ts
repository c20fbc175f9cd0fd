import { Command } from "commander";
import { EXIT } from "../failure.js";

export interface DiffOptions {
  readonly target?: string;
  readonly targetOfSecond?: string;
  readonly inventory?: string;
  readonly json?: true;
}

export function diffCommand(): Command {
  return new Command("diff")
    .description("say what becomes allowed and what becomes denied between two policies")
    .argument("<first>", "policy.json, or a folder of files for the target")
    .argument("<second>", "the same, maybe of another target")
    .option("-t, --target <name>", "what the files are for")
    .option("--target-of-second <name>", "where the second folder is for another target")
    .option("-i, --inventory <file>", "workloads and their addresses (default: those that the folders declare)")
    .option("--json", "print the changes as JSON")
    .addHelpText(
      "after",
      `
Both are judged over the same workloads and all other addresses, every protocol and port: the list is complete. Exit code
${EXIT.no}: they differ.

Example:
  portolan diff manifests/ manifests-new/ --target kubernetes`,
    )
    .action(async (first: string, second: string, options: DiffOptions) =>
      (await import("../diff.js")).diff(first, second, options),
    );
}
