import type { Inventory } from "../../model/workload.js";
import { currentAddresses } from "../selection.js";
import { podCensus } from "./pod-target.js";

/**
 * The workloads whose traffic the files of a target can be about. Without an address nothing is sent or received; only
 * pods are still meant, by label, before they have one.
 */
export function comparableInventory(inventory: Inventory, arePodsSelected: boolean): Inventory {
  const { isPod } = podCensus(inventory.workloads);
  const workloads = inventory.workloads.filter(
    (workload) => currentAddresses(workload).length > 0 || (arePodsSelected && isPod(workload)),
  );
  return { ...inventory, workloads };
}
