import { Command } from "commander";

export interface MergeOptions {
  readonly out: string;
  readonly inventory?: string;
  readonly chart?: string;
  readonly json?: true;
}

export function mergeCommand(): Command {
  return new Command("merge")
    .description("make one store of those of several analyzers, each flow once")
    .argument("<store...>", "DuckDB files that no process has open")
    .requiredOption("--out <file>", "the new store; it must not be there yet")
    .option("-i, --inventory <file>", "put this inventory in force (default: the one of the stores)")
    .option("--chart <dir>", "write graph.json, policy.json, report.html and bundles of the merged store there")
    .option("--json", "print the totals as JSON")
    .addHelpText(
      "after",
      `
What the merged store answers is what one analyzer would that had read everything, byte for byte.

Example:
  portolan merge --out all.duckdb --chart chart analyzer-0.duckdb analyzer-1.duckdb`,
    )
    .action(async (stores: string[], options: MergeOptions) => (await import("../merge.js")).merge(stores, options));
}
