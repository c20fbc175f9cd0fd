import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { reportCaptureErrors } from "./capture-errors.js";
import { chartCaptures } from "./journey.js";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "./listen.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import { serveExplorer } from "./serve.js";
import { stopSignal } from "./stop-signal.js";
import { formatSummary, summarise } from "./summary.js";

const LAB = new URL("../../test/fixtures/lab/", import.meta.url);

interface DemoOptions {
  readonly listen: Listen;
  readonly serve: boolean;
  readonly out?: string;
  readonly json?: true;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("chart the capture that comes with Portolan, then serve the explorer")
    .addOption(listenOption("where to serve the explorer; a port in use gets the next free one"))
    .option("--no-serve", "stop after the summary")
    .option("-o, --out <dir>", "also write graph, policy, bundles and report there")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
The capture is of a small company built from real programs, see docs/lab.md. Nothing is sent anywhere.

Example:
  portolan demo --listen ${formatListen(DEFAULT_LISTEN)}`,
    )
    .action(async (options: DemoOptions) => {
      const file = (name: string) => fileURLToPath(new URL(name, LAB));
      process.stderr.write("charting the lab capture that comes with Portolan\n");
      const journey = await chartCaptures([file("lab.pcap")], {
        title: "The lab capture that comes with Portolan",
        inventory: readInventory(file("inventory.yaml")),
      });
      try {
        const summary = summarise(journey);
        process.stdout.write(options.json ? `${JSON.stringify(summary, undefined, 2)}\n` : formatSummary(summary));
        if (options.out !== undefined) writeResults(options.out, journey);
        reportCaptureErrors(journey.totals.errors);
        if (!options.serve) return;
        const stopped = stopSignal();
        const server = await serveExplorer(journey.analyzer, options.listen, true);
        process.stderr.write(`\nexplorer: ${server.url} (Ctrl-C ends it)\n`);
        await stopped;
        await server.close();
      } finally {
        await journey.analyzer.close();
      }
    });
}
