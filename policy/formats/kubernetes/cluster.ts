import type { Labels } from "../../../model/label-selector.js";
import type { Inventory, Workload } from "../../../model/workload.js";

/** The workload that stands for a node, in planes whose policies govern nodes too. */
export function nodeWorkloadId(name: string): string {
  return `node/${name}`;
}

/** A node of the cluster with the addresses it reports. */
export interface ClusterNode {
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly string[];
}

/** What policies of a cluster are about, as its manifests state it. */
export interface Cluster {
  readonly inventory: Inventory;
  readonly nodes: readonly ClusterNode[]; // by name
  readonly hostNetwork: ReadonlySet<string>; // workloads that share their node's network
  readonly nodeOf: ReadonlyMap<string, string>; // name of the node, by workload
  readonly networks: readonly PodNetwork[]; // by name
  /** Workloads by `namespace/name`, where the name is a pod's, its controller's or of a controller's manifest. */
  readonly workloadsByName: ReadonlyMap<string, readonly Workload[]>;
}

/** A network of its own for all pods of some namespaces; they and the other pods do not reach each other. */
export interface PodNetwork {
  readonly name: string;
  readonly namespaces: readonly string[]; // sorted
}
