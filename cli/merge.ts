import { basename } from "node:path";
import { Analyzer } from "../analyzer/analyzer.js";
import { mergeStores } from "../analyzer/store/merge.js";
import { chartOf } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import type { MergeOptions } from "./verbs/merge.js";

export async function merge(
  stores: string[],
  { out, inventory: file, chart: folder, json }: MergeOptions,
): Promise<void> {
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
