import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { discover } from "../../analyzer/discovery/discover.js";
import type { Proposal } from "../../analyzer/proposal.js";
import { Store } from "../../analyzer/store/store.js";
import { readCaptures } from "../../collector/read-captures.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import { parseInventory } from "../../model/inventory-file.js";
import type { Inventory } from "../../model/workload.js";
import { parseTruth, type TruthRow } from "./truth.js";

/** The folder of the capture that is checked in, with its inventory and its truth. */
export const FIXTURE = fileURLToPath(new URL("../../../test/fixtures/lab/", import.meta.url));

export interface LabChart {
  readonly inventory: Inventory;
  readonly truth: readonly TruthRow[];
  readonly proposal: Proposal;
}

/** Takes a lab's capture through collector, store and discovery. */
export async function chartLab(folder = FIXTURE): Promise<LabChart> {
  const inventory = parseInventory(readFileSync(join(folder, "inventory.yaml"), "utf8"), "inventory.yaml");
  const truth = parseTruth(readFileSync(join(folder, "truth.tsv"), "utf8"));
  const batches: FlowBatch[] = [];
  for await (const batch of readCaptures([join(folder, "lab.pcap")])) batches.push(batch);
  const store = await Store.open({ path: ":memory:" });
  await store.append(batches);
  await store.reattribute(inventory);
  const conversations = await store.conversations({}, "minute");
  const gaps = await store.gaps();
  const proposal = discover({ windows: conversations.windows, inventory, gaps, samples: () => [] });
  await store.close();
  return { inventory, truth, proposal };
}
