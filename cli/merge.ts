import { basename } from "node:path";
import { Command } from "commander";
import { Analyzer } from "../analyzer/analyzer.js";
import { mergeStores } from "../analyzer/store/merge.js";
import { chartOf } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";

interface MergeOptions {
  readonly out: string;
  readonly inventory?: string;
  readonly chart?: string;
  readonly json?: true;
}

async function merge(stores: string[], { out, inventory: file, chart: folder, json }: MergeOptions): Promise<void> {
  const inventory = file === undefined ? undefined : readInventory(file);
  const report = await mergeStores({ out, sources: stores, ...(inventory === undefined ? {} : { inventory }) });
  if (folder !== undefined) {
    const analyzer = await Analyzer.open({ path: out });
    try {
      writeResults(folder, await chartOf(analyzer, stores.map((path) => basename(path)).join(", ")));
    } finally {
      await analyzer.close();
    }
  }
  const { flows, batches, duplicates, collectors } = report;
  process.stdout.write(
    json
      ? `${JSON.stringify(report)}\n`
      : `${flows} flows of ${batches} batches from ${collectors} collectors in ${out}; ${duplicates} batches were in several stores\n`,
  );
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
    .action(merge);
}
