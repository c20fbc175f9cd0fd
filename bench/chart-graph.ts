// Reads a capture into a DuckDB file and groups the edges of the graph there. Run by the capture bench as a process of its
// own. Arguments: capture, database file; "conversations" to hand the grouped conversations to the analyzer as well
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import bindings from "@duckdb/node-bindings";
import { Analyzer } from "../analyzer/analyzer.js";
import { LARGE_BATCH_ROWS } from "../collector/flow-export.js";
import { readCaptures } from "../collector/read-captures.js";
import { EMPTY_INVENTORY } from "../model/workload.js";

/** An edge is who talked to whom about which service. The store's own answers are by workload, hour and minute. */
const EDGES = `
  SELECT count(*) FROM (
    SELECT originator, responder, protocol, service, scope_id, count(*), min(start_us), max(end_us),
      sum(originator_packets::DOUBLE), sum(responder_packets::DOUBLE), sum(originator_bytes::DOUBLE), sum(responder_bytes::DOUBLE)
    FROM flows GROUP BY ALL)`;

const [capture, path, extra] = process.argv.slice(2) as [string, string, string | undefined];
for (const part of [path, `${path}.wal`]) rmSync(part, { force: true });
const analyzer = await Analyzer.open({ path, inventory: EMPTY_INVENTORY });
const batches = readCaptures([capture], { batchRows: LARGE_BATCH_ROWS });
let flows = 0;
let step = await batches.next();
while (step.done !== true) {
  flows += step.value.length;
  await analyzer.ingest(step.value);
  step = await batches.next();
}
await analyzer.flush();
if (extra === "conversations") await analyzer.timeline(1);
await analyzer.close();

// One number does not need the API above the bindings, which this thread has not loaded.
const config = bindings.create_config();
bindings.set_config(config, "access_mode", "READ_ONLY");
bindings.set_config(config, "threads", String(availableParallelism()));
const database = await bindings.open(path, config);
const connection = await bindings.connect(database);
const answer = await bindings.fetch_chunk(await bindings.query(connection, EDGES));
if (answer === null) throw new Error("Cannot count edges: DuckDB gave no answer");
const counted = bindings.vector_get_data(bindings.data_chunk_get_vector(answer, 0), 8);
const edges = new DataView(counted.buffer, counted.byteOffset).getBigInt64(0, true);
bindings.disconnect_sync(connection);
bindings.close_sync(database);
const { packets, errors } = step.value;
for (const error of errors) process.stderr.write(`${error.message}\n`);
process.exitCode = errors.length === 0 ? 0 : 1;
process.stdout.write(`${JSON.stringify({ packets, flows, edges: Number(edges) })}\n`);
