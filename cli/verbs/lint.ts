import { Command, Option } from "commander";
import { PLANE_NAMES } from "../../policy/formats/target-names.js";
import { EXIT } from "../failure.js";

export interface LintOptions {
  readonly target: string;
  readonly format: "text" | "sarif" | "json";
  readonly json?: true;
  readonly store?: string;
}

export function lintCommand(): Command {
  return new Command("lint")
    .description("find policies that do not do what they seem to do")
    .argument("<path...>", "the cluster's manifests: files, or folders read with all below")
    .addOption(
      new Option("-t, --target <plane>", "whose meaning policies have").choices(PLANE_NAMES).default("kubernetes"),
    )
    .addOption(new Option("-f, --format <format>", "how to print").choices(["text", "sarif", "json"]).default("text"))
    .option("--json", "the same as --format json")
    .option("--store <file>", "DuckDB file of analyze or run: compare rules with what was seen, too")
    .addHelpText(
      "after",
      `
Finds selectors, peers and ports that match nothing, rules that change no verdict, rules that the other end denies,
isolation by accident, rules that mean nothing, rules far broader than those beside them, and workloads that nothing isolates;
with --store also rules that allow nothing, or far more, than was seen.
Exit code ${EXIT.no}: there are findings.

Example:
  portolan lint manifests/ --target kubernetes --format sarif > findings.sarif`,
    )
    .action(async (paths: string[], options: LintOptions) => (await import("../lint.js")).lint(paths, options));
}
