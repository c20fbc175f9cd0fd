import { basename } from "node:path";
import { reportCaptureErrors } from "./capture-errors.js";
import { EXIT, Failure } from "./failure.js";
import { chartCaptures } from "./journey.js";
import { readInventory } from "./read-inventory.js";
import { writeResults } from "./results.js";
import { formatSummary, summarise } from "./summary.js";
import type { AnalyzeOptions } from "./verbs/analyze.js";

/** `captures/host-a.pcap.gz` was made by `host-a`. @throws {Failure} If two have one name, or one has none. */
function observersOf(files: readonly string[]): string[] {
  const names = files.map((file) => basename(file).replace(/\.(pcap|pcapng|cap)?(\.gz)?$/, ""));
  for (const [i, name] of names.entries()) {
    const first = names.indexOf(name);
    const why =
      name === "-" ? "standard input has no name" : first < i ? `"${files[first]}" is named alike` : undefined;
    if (why === undefined) continue;
    throw new Failure(
      `Cannot tell who captured "${files[i]}": ${why}; wanted one file a host, as host-a.pcap`,
      EXIT.input,
    );
  }
  return names;
}

export async function analyze(files: string[], options: AnalyzeOptions): Promise<void> {
  const observers = options.perHost === true ? { observers: observersOf(files) } : {};
  const journey = await chartCaptures(files, {
    ...observers,
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
