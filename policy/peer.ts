import type { LabelSelector } from "../model/label-selector.js";

/**
 * Which workloads: all parts must hold. `namespaces` queries the namespace's labels, among which
 * `kubernetes.io/metadata.name` is always present; `serviceAccounts` empty means any.
 */
export interface WorkloadSelector {
  readonly namespaces: LabelSelector;
  readonly labels: LabelSelector;
  readonly serviceAccounts: readonly string[]; // "namespace/name", sorted
}

/** One end of a rule. */
export type Peer =
  | { readonly kind: "workloads"; readonly selector: WorkloadSelector }
  /** Addresses, whatever is behind them; `except` lies inside `cidr`. CIDRs in canonical text. */
  | { readonly kind: "cidr"; readonly cidr: string; readonly except: readonly string[] }
  /** Addresses that the inventory or the policy set names; resolved when the policy is compiled. */
  | { readonly kind: "group"; readonly name: string }
  /** The addresses that a DNS name resolves to; `*` stands for one label. As a server only. */
  | { readonly kind: "fqdn"; readonly pattern: string }
  /** Everybody: every workload and every other address. */
  | { readonly kind: "any" };
