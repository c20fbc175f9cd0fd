import { fileURLToPath } from "node:url";
import { reportCaptureErrors } from "./capture-errors.js";
import { chartCaptures } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import { serveExplorer } from "./serve.js";
import { stopSignal } from "./stop-signal.js";
import { formatSummary, summarise } from "./summary.js";
import type { DemoOptions } from "./verbs/demo.js";

const LAB = new URL("../../test/fixtures/lab/", import.meta.url);

export async function demo(options: DemoOptions): Promise<void> {
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
}
