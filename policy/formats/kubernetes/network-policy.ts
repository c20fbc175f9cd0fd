import type { LabelSelector } from "../../../model/label-selector.js";
import type { Direction, ServiceMatch } from "../../decision/program.js";

/** One end of a rule as Kubernetes says it; every field that matters is resolved, the namespace included. */
export type KubernetesPeer =
  | { readonly kind: "pods"; readonly namespaces: LabelSelector; readonly pods: LabelSelector }
  | { readonly kind: "ip-block"; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: "networks"; readonly cidrs: readonly string[] }
  | { readonly kind: "nodes"; readonly nodes: LabelSelector }
  | { readonly kind: "domain-names"; readonly patterns: readonly string[] };

/** `peers` and `services` absent mean everybody and everything, which an empty list does not. */
export interface NetworkPolicyRule {
  readonly name: string; // e.g. "ingress[0]"
  readonly peers: readonly KubernetesPeer[] | undefined;
  readonly services: ServiceMatch | undefined;
}

/** A `networking.k8s.io/v1` NetworkPolicy after all defaults. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly pods: LabelSelector;
  readonly directions: readonly Direction[]; // which it isolates
  readonly ingress: readonly NetworkPolicyRule[];
  readonly egress: readonly NetworkPolicyRule[];
}

export interface ClusterPolicyRule {
  readonly name: string;
  readonly action: "allow" | "deny" | "pass";
  readonly peers: readonly KubernetesPeer[];
  readonly services: ServiceMatch | undefined;
}

/** An AdminNetworkPolicy, a BaselineAdminNetworkPolicy or a ClusterNetworkPolicy. */
export interface ClusterPolicy {
  readonly kind: "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy" | "ClusterNetworkPolicy";
  readonly name: string;
  readonly tier: "admin" | "baseline";
  readonly priority: number; // lower is asked first
  readonly namespaces: LabelSelector;
  readonly pods: LabelSelector;
  readonly ingress: readonly ClusterPolicyRule[];
  readonly egress: readonly ClusterPolicyRule[];
}

/** All policies of a cluster, sorted. */
export interface KubernetesPolicies {
  readonly networkPolicies: readonly NetworkPolicy[]; // by namespace and name
  readonly clusterPolicies: readonly ClusterPolicy[]; // by tier and priority
}
