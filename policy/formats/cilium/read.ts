import type { Workload } from "../../../model/workload.js";
import type { Direction, DirectionProgram, Program } from "../../decision/program.js";
import { type Cluster, nodeWorkloadId } from "../kubernetes/cluster.js";
import type { KubernetesPolicies } from "../kubernetes/network-policy.js";
import { parseKubernetesPolicies } from "../kubernetes/parse.js";
import { DEFAULT_PLANE, networkPolicyStage, networkStage, nodeStage, tierStage } from "../kubernetes/program.js";
import { refuseMissingNamespaces } from "../kubernetes/read.js";
import { readCluster } from "../kubernetes/resources.js";
import type { ManifestFile } from "../manifest/manifest-objects.js";
import type { CiliumPolicy } from "./cilium-policy.js";
import { parseCiliumPolicies } from "./parse.js";
import { ALLOW_RANK, programOfCilium } from "./program.js";

export interface CiliumReading {
  readonly cluster: Cluster;
  readonly policies: readonly CiliumPolicy[];
  readonly program: Program;
}

/** Cilium asks its own policies and Kubernetes NetworkPolicies as one: any may close, any may allow, a deny beats all. */
function mergeKubernetes(
  own: DirectionProgram,
  kubernetes: KubernetesPolicies,
  direction: Direction,
  cluster: Cluster,
): DirectionProgram {
  const { networkPolicies, clusterPolicies } = kubernetes;
  const below = networkPolicyStage(networkPolicies, direction, cluster, DEFAULT_PLANE);
  const shared = own.enforced.map((stage) => ({
    ...stage,
    entries: [...stage.entries, ...below.entries.map((entry) => ({ ...entry, rank: ALLOW_RANK }))],
    closures: [...stage.closures, ...below.closures],
  }));
  const enforced = [
    networkStage(cluster),
    ...(direction === "ingress" ? [nodeStage(cluster)] : []),
    tierStage(clusterPolicies, "admin", direction, cluster, DEFAULT_PLANE),
    ...shared,
    tierStage(clusterPolicies, "baseline", direction, cluster, DEFAULT_PLANE),
  ].filter((stage) => stage.entries.length > 0 || stage.closures.length > 0);
  return { enforced, trial: [] };
}

/** The cluster with its nodes as workloads, so that policies can govern them; they are in no namespace. */
function withNodes(cluster: Cluster): Cluster {
  const nodes = cluster.nodes.map(
    ({ name, labels, addresses }): Workload => ({
      ...{ id: nodeWorkloadId(name), namespace: "", name, kind: "Node", labels },
      addresses: addresses.map((address) => ({ address })),
    }),
  );
  const workloads = [...cluster.inventory.workloads, ...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ...cluster, inventory: { ...cluster.inventory, workloads } };
}

/** Reads a cluster's manifests as Cilium does, all or nothing. @throws {ManifestErrors} With every fault in all files. */
export function readCilium(files: readonly ManifestFile[]): CiliumReading {
  const manifests = readCluster(files);
  refuseMissingNamespaces(manifests);
  const { objects } = manifests;
  const policies = parseCiliumPolicies(objects);
  const isForNodes = policies.some(({ subject }) => subject.kind === "nodes");
  const cluster = isForNodes ? withNodes(manifests.cluster) : manifests.cluster;
  const kubernetes = parseKubernetesPolicies(objects.filter(({ apiVersion }) => !apiVersion.startsWith("cilium.io/")));
  const own = programOfCilium(policies, cluster);
  return {
    cluster,
    policies,
    program: {
      ingress: mergeKubernetes(own.ingress, kubernetes, "ingress", cluster),
      egress: mergeKubernetes(own.egress, kubernetes, "egress", cluster),
      selfTraffic: own.selfTraffic,
    },
  };
}
