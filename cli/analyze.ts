import { basename } from "node:path";
import { reportCaptureErrors } from "./capture-errors.js";
import { chartCaptures } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import { formatSummary, summarise } from "./summary.js";
import type { AnalyzeOptions } from "./verbs/analyze.js";

export async function analyze(files: string[], options: AnalyzeOptions): Promise<void> {
  const journey = await chartCaptures(files, {
    title: files.map((file) => (file === "-" ? "standard input" : basename(file))).join(", "),
    inventory: options.inventory === undefined ? undefined : readInventory(options.inventory),
    ...(options.store === undefined ? {} : { store: options.store }),
  });
  await journey.analyzer.close();
  const isUsable = journey.totals.packets > 0 || journey.totals.errors.length === 0;
  if (isUsable) {
    writeResults(options.out, journey);
    const summary = summarise(journey);
    process.stdout.write(options.json ? `${JSON.stringify(summary, undefined, 2)}\n` : formatSummary(summary));
    if (!options.json) process.stdout.write(`\nwritten to ${options.out}/: start with report.html\n`);
  }
  reportCaptureErrors(journey.totals.errors);
}
