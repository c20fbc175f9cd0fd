import type { Inventory } from "../../model/workload.js";
import type { Cluster } from "../../policy/formats/kubernetes/cluster.js";

/** A cluster that is nothing but its workloads. */
export function clusterOf(inventory: Inventory): Cluster {
  return { inventory, nodes: [], hostNetwork: new Set(), nodeOf: new Map(), networks: [], workloadsByName: new Map() };
}
