import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Analyzer } from "../../analyzer/analyzer.js";
import type { Proposal } from "../../analyzer/proposal.js";
import { readCaptures } from "../../collector/read-captures.js";
import { parseInventory } from "../../model/inventory-file.js";
import type { Inventory } from "../../model/workload.js";
import { parseTruth, type TruthRow } from "./truth.js";

/** The folder of the capture that is checked in, with its inventory and its truth. */
const FIXTURE = fileURLToPath(new URL("../../../test/fixtures/lab/", import.meta.url));

export interface LabChart {
  readonly inventory: Inventory;
  readonly truth: readonly TruthRow[];
  readonly proposal: Proposal;
}

/** Takes the checked-in capture through the whole journey, collector to proposal. */
export async function chartLab(): Promise<LabChart> {
  const read = (name: string) => readFileSync(join(FIXTURE, name), "utf8");
  const inventory = parseInventory(read("inventory.yaml"), "inventory.yaml");
  const analyzer = await Analyzer.open({ path: ":memory:", inventory });
  try {
    for await (const batch of readCaptures([join(FIXTURE, "lab.pcap")])) await analyzer.ingest(batch);
    await analyzer.flush();
    return { inventory, truth: parseTruth(read("truth.tsv")), proposal: await analyzer.proposal() };
  } finally {
    await analyzer.close();
  }
}
