// Reads a capture into a DuckDB file and the edges of the graph back out of it. Run by the capture bench as a process of
// its own. Arguments: capture, database file
import { rmSync } from "node:fs";
import { Analyzer } from "../analyzer/analyzer.js";
import { readCaptures } from "../collector/read-captures.js";
import { EMPTY_INVENTORY } from "../model/workload.js";

const [capture, path] = process.argv.slice(2) as [string, string];
for (const part of [path, `${path}.wal`]) rmSync(part, { force: true });
const analyzer = await Analyzer.open({ path, inventory: EMPTY_INVENTORY });
const batches = readCaptures([capture]);
let flows = 0;
let step = await batches.next();
while (step.done !== true) {
  flows += step.value.length;
  await analyzer.ingest(step.value);
  step = await batches.next();
}
await analyzer.flush();
// The timeline is the cheapest answer for which DuckDB groups all flows into conversations and hands them over.
const slices = await analyzer.timeline(1);
const { packets, errors } = step.value;
for (const error of errors) process.stderr.write(`${error.message}\n`);
process.exitCode = errors.length === 0 ? 0 : 1;
process.stdout.write(`${JSON.stringify({ packets, flows, slices })}\n`);
await analyzer.close();
