import { basename } from "node:path";
import { Command } from "commander";
import { reportCaptureErrors } from "./capture-errors.js";
import { EXIT } from "./failure.js";
import { chartCaptures } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import { formatSummary, summarise } from "./summary.js";

interface AnalyzeOptions {
  readonly inventory?: string;
  readonly out: string;
  readonly store?: string;
  readonly json?: true;
}

export function analyzeCommand(): Command {
  return new Command("analyze")
    .description("chart captures: graph, proposed policy, bundles and report")
    .argument("<file...>", "pcap or pcapng, also gzipped; - for standard input")
    .option("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .option("-o, --out <dir>", "folder for the results", "portolan-out")
    .option("--store <file>", "keep the conversations in this DuckDB file (default: in memory)")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
Writes graph.json, policy.json, report.html, bundles/kubernetes/ and bundles/nftables/ below the folder.
A capture that ends in an error is charted up to there; the error is printed and the exit code is ${EXIT.input}.

Example:
  portolan analyze monday.pcapng.gz --inventory inventory.yaml --out chart`,
    )
    .action(async (files: string[], options: AnalyzeOptions) => {
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
    });
}
