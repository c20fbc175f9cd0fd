import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReadOptions, type ReadTotals, readCaptures } from "../../collector/read-captures.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import type { FlowRecord } from "../../model/flow-record.js";
import { flowAt } from "../../model/flow-rows.js";

export interface ReadFlows {
  readonly flows: readonly FlowRecord[];
  readonly batches: readonly FlowBatch[];
  readonly totals: ReadTotals;
}

/** Flows of files that hold `captures`. */
export async function readFlows(captures: readonly Uint8Array[], options: ReadOptions = {}): Promise<ReadFlows> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-test-"));
  try {
    const paths = captures.map((bytes, i) => {
      const path = join(folder, `${i}.pcap`);
      writeFileSync(path, bytes);
      return path;
    });
    const batches: FlowBatch[] = [];
    const generator = readCaptures(paths, options);
    for (;;) {
      const step = await generator.next();
      if (step.done !== true) {
        batches.push(step.value);
        continue;
      }
      const flows = batches.flatMap((batch) => Array.from({ length: batch.length }, (_, row) => flowAt(batch, row)));
      return { flows, batches, totals: step.value };
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One line a flow, enough to compare: who, to whom, how much, how it ended. */
export function line(flow: FlowRecord): string {
  const { protocol, originator: o, responder: r, outcome, evidence } = flow;
  const vlan = flow.vlan.length === 0 ? "" : ` vlan ${flow.vlan.join(",")}`;
  const tunnel = flow.tunnel.map(
    ({ kind, id, outer }) => ` ${kind}${id === undefined ? "" : ` ${id}`}${outer ? ` ${outer}` : ""}`,
  );
  return `${protocol} ${o.address} ${o.port} > ${r.address} ${r.port} ${o.packets}/${o.bytes} ${r.packets}/${r.bytes} ${outcome} ${evidence}${vlan}${tunnel.join("")}`;
}
