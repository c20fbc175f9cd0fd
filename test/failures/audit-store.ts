import { DuckDBInstance } from "@duckdb/node-api";
import type { BatchContent } from "./capture-sender.js";

export interface StoreAudit {
  readonly faults: readonly string[]; // empty when every flow is in one place
  readonly madeFlows: number;
  readonly storedFlows: number;
  readonly lostFlows: number; // in recorded gaps
  readonly gaps: number;
}

/**
 * Compares what collectors made with what is in the store of an analyzer that has ended: each batch has to be there once,
 * with all its flows, or be in a recorded gap with the right count.
 * @param made by collector: "boot/bucket#sequence" -> what is in the batch
 */
export async function auditStore(
  path: string,
  made: ReadonlyMap<string, ReadonlyMap<string, BatchContent>>,
): Promise<StoreAudit> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS();
  const stream = "collectors.text, streams.boot || '/' || streams.bucket";
  const joins = "JOIN streams ON streams.id = stream JOIN collectors ON collectors.id = streams.collector";
  const stored = await rows(
    `SELECT ${stream} || '#' || sequence, count(*), sum(originator_packets + responder_packets) FROM flows ${joins} GROUP BY ALL`,
  );
  const told = await rows(
    `SELECT ${stream}, first_sequence, max(last_sequence), max_by(flows, last_sequence) FROM lost_batches ${joins} GROUP BY ALL`,
  );
  connection.closeSync();
  instance.closeSync();
  const faults: string[] = [];
  const arrived = new Set<string>();
  let storedFlows = 0;
  for (const [collector, key, count, packets] of stored) {
    const content = made.get(String(collector))?.get(String(key));
    arrived.add(`${collector} ${key}`);
    storedFlows += Number(count);
    if (content?.flows !== Number(count) || content.packets !== Number(packets)) {
      const is = `${count} flows with ${packets} packets are stored`;
      faults.push(`${collector} ${key}: ${is}, ${content?.flows} with ${content?.packets} were made`);
    }
  }
  const lost = new Set<string>();
  let lostFlows = 0;
  for (const [collector, name, first, last, flows] of told) {
    let sum = 0;
    for (let sequence = Number(first); sequence <= Number(last); sequence++) {
      const key = `${name}#${sequence}`;
      if (arrived.has(`${collector} ${key}`)) faults.push(`${collector} ${key} is told as lost and is stored`);
      if (lost.has(`${collector} ${key}`)) continue; // told once more in a longer range
      lost.add(`${collector} ${key}`);
      sum += made.get(String(collector))?.get(key)?.flows ?? Number.NaN;
    }
    const isNested = sum === 0;
    lostFlows += sum;
    if (!isNested && sum !== Number(flows)) {
      faults.push(`${collector} ${name} ${first} to ${last}: ${flows} flows are told as lost, it was ${sum}`);
    }
  }
  let madeFlows = 0;
  for (const [collector, batches] of made) {
    for (const [key, { flows }] of batches) {
      madeFlows += flows;
      const name = `${collector} ${key}`;
      if (!arrived.has(name) && !lost.has(name)) faults.push(`${name}: ${flows} flows are nowhere`);
    }
  }
  return { faults, madeFlows, storedFlows, lostFlows, gaps: told.length };
}
