import { matchesLabels } from "../../../model/label-selector.js";
import { ALL_ENDS, allOf, anyOf, type EndSet } from "../../decision/end-set.js";
import {
  ALL_SERVICE_MATCH,
  type Closure,
  type Direction,
  type Entry,
  type Program,
  type Stage,
} from "../../decision/program.js";
import { type NameTable, resolvePattern } from "../../neutral.js";
import { type Cluster, nodeWorkloadId } from "./cluster.js";
import type { ClusterPolicy, KubernetesPeer, KubernetesPolicies, NetworkPolicy } from "./network-policy.js";
import { selectorOfNamespace } from "./parse-network-policy.js";

export interface KubernetesPlane {
  /**
   * Whether an `ipBlock` also matches pods with an address inside. The API leaves it open: Calico says yes (`anyone`),
   * Cilium and OVN-Kubernetes no (`outsiders`), and rules are advised not to rely on either.
   */
  readonly ipBlocks: "anyone" | "outsiders";
  /** What DNS names resolve to, for `domainNames`. */
  readonly names?: NameTable;
}

export const DEFAULT_PLANE: KubernetesPlane = { ipBlocks: "outsiders" };

function endsOfPeer(peer: KubernetesPeer, cluster: Cluster, plane: KubernetesPlane): EndSet {
  switch (peer.kind) {
    case "pods":
      return {
        kind: "selected",
        selector: { namespaces: peer.namespaces, labels: peer.pods, serviceAccounts: [] },
      };
    case "ip-block": {
      const of = plane.ipBlocks;
      const inside: EndSet = { kind: "addresses", cidrs: [peer.cidr], of };
      if (peer.except.length === 0) return inside;
      return allOf([inside, { kind: "not", set: { kind: "addresses", cidrs: peer.except, of } }]);
    }
    case "networks":
      return { kind: "addresses", cidrs: peer.cidrs, of: plane.ipBlocks };
    case "nodes": {
      const nodes = cluster.nodes.filter((node) => matchesLabels(peer.nodes, node.labels));
      return { kind: "addresses", cidrs: nodes.flatMap((node) => node.addresses), of: "anyone" };
    }
    case "domain-names": {
      const cidrs = peer.patterns.flatMap((pattern) => resolvePattern(pattern, plane.names ?? new Map()));
      return { kind: "addresses", cidrs, of: "anyone" };
    }
  }
}

function endsOfPeers(peers: readonly KubernetesPeer[] | undefined, cluster: Cluster, plane: KubernetesPlane): EndSet {
  return peers === undefined ? ALL_ENDS : anyOf(peers.map((peer) => endsOfPeer(peer, cluster, plane)));
}

/** NetworkPolicies: whoever one of them selects for a direction is closed but for what any of them allows. */
export function networkPolicyStage(
  policies: readonly NetworkPolicy[],
  direction: Direction,
  cluster: Cluster,
  plane: KubernetesPlane,
): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  for (const { namespace, name, pods, directions, ...rules } of policies) {
    if (!directions.includes(direction)) continue;
    const selector = { namespaces: selectorOfNamespace(namespace), labels: pods, serviceAccounts: [] };
    const subjects: EndSet = { kind: "selected", selector };
    const policy = `NetworkPolicy ${namespace}/${name}`;
    closures.push({ subjects, source: { policy, rule: "" } });
    for (const rule of rules[direction]) {
      entries.push({
        rank: 0,
        subjects,
        peers: endsOfPeers(rule.peers, cluster, plane),
        services: rule.services ?? ALL_SERVICE_MATCH,
        action: "allow",
        source: { policy, rule: `${namespace}/${name} ${rule.name}` },
      });
    }
  }
  return { name: "NetworkPolicy", entries, closures };
}

/** Cluster-wide policies of one tier: ordered by priority, then as written; they close nobody. */
export function tierStage(
  policies: readonly ClusterPolicy[],
  tier: ClusterPolicy["tier"],
  direction: Direction,
  cluster: Cluster,
  plane: KubernetesPlane,
): Stage {
  const onHosts: EndSet = { kind: "listed", workloads: [...cluster.hostNetwork].sort() };
  const entries: Entry[] = [];
  for (const policy of policies.filter((candidate) => candidate.tier === tier)) {
    const selector = { namespaces: policy.namespaces, labels: policy.pods, serviceAccounts: [] };
    const selected: EndSet = { kind: "selected", selector };
    // These policies leave pods alone that share the network of their node.
    const subjects = cluster.hostNetwork.size === 0 ? selected : allOf([selected, { kind: "not", set: onHosts }]);
    for (const rule of policy[direction]) {
      entries.push({
        rank: entries.length,
        subjects,
        peers: endsOfPeers(rule.peers, cluster, plane),
        services: rule.services ?? ALL_SERVICE_MATCH,
        action: rule.action,
        source: { policy: `${policy.kind} ${policy.name}`, rule: `${policy.name} ${rule.name}` },
      });
    }
  }
  return { name: tier === "admin" ? "the Admin tier" : "the Baseline tier", entries, closures: [] };
}

/** Pods on networks of their own: the others are out of reach, whatever policies say. */
export function networkStage(cluster: Cluster): Stage {
  const podsOf = (namespaces: readonly string[]): EndSet => ({
    kind: "selected",
    selector: {
      namespaces: { requirements: [{ key: "kubernetes.io/metadata.name", operator: "In", values: namespaces }] },
      labels: { requirements: [] },
      serviceAccounts: [],
    },
  });
  const allPods = {
    kind: "selected",
    selector: { namespaces: { requirements: [] }, labels: { requirements: [] }, serviceAccounts: [] },
  } as const;
  const entries = cluster.networks.flatMap(({ name, namespaces }): Entry[] => {
    const members = podsOf(namespaces);
    const others = allOf([allPods, { kind: "not", set: members }]);
    const shared = {
      rank: 0,
      services: ALL_SERVICE_MATCH,
      action: "deny",
      source: { policy: `network ${name}`, rule: `network ${name}` },
    } as const;
    return [
      { ...shared, subjects: members, peers: others },
      { ...shared, subjects: others, peers: members },
    ];
  });
  return { name: "the pod networks", entries, closures: [] };
}

/** A node always reaches the pods that run on it: the kubelet probes them. */
export function nodeStage(cluster: Cluster): Stage {
  const entries = cluster.nodes.flatMap(({ name, addresses }): Entry[] => {
    const workloads = [...cluster.nodeOf].filter(([, node]) => node === name).map(([workload]) => workload);
    if (workloads.length === 0 || addresses.length === 0) return [];
    return [
      {
        rank: 0,
        subjects: { kind: "listed", workloads },
        peers: anyOf([
          { kind: "addresses", cidrs: addresses, of: "outsiders" },
          { kind: "listed", workloads: [nodeWorkloadId(name)] },
        ]),
        services: ALL_SERVICE_MATCH,
        action: "allow",
        source: { policy: `Node ${name}`, rule: `Node ${name}` },
      },
    ];
  });
  return { name: "the pod's own node", entries, closures: [] };
}

/**
 * What Kubernetes makes of the policies:
 *
 *     networks -> own node (ingress) -> Admin tier -> NetworkPolicy -> Baseline tier -> allowed
 */
export function programOfKubernetes(
  policies: KubernetesPolicies,
  cluster: Cluster,
  plane: KubernetesPlane = DEFAULT_PLANE,
): Program {
  const stages = (direction: Direction): readonly Stage[] =>
    [
      networkStage(cluster),
      ...(direction === "ingress" ? [nodeStage(cluster)] : []),
      tierStage(policies.clusterPolicies, "admin", direction, cluster, plane),
      networkPolicyStage(policies.networkPolicies, direction, cluster, plane),
      tierStage(policies.clusterPolicies, "baseline", direction, cluster, plane),
    ].filter((stage) => stage.entries.length > 0 || stage.closures.length > 0);
  return {
    ingress: { enforced: stages("ingress"), trial: [] },
    egress: { enforced: stages("egress"), trial: [] },
    selfTraffic: "allowed",
  };
}
