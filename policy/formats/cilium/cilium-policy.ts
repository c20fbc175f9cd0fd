import type { LabelSelector } from "../../../model/label-selector.js";
import type { ServiceMatch } from "../../decision/program.js";

/** A query over Cilium labels, whose keys may begin with a source such as `k8s:` or `reserved:`. */
export interface EndpointSelector {
  readonly labels: LabelSelector;
  readonly namespace: string | undefined; // that goes without saying
}

export interface CiliumCidr {
  readonly cidrs: readonly string[]; // several where the rule names a CiliumCIDRGroup
  readonly except: readonly string[];
}

/** The one kind of peer that a rule names. */
export type CiliumPeers =
  | { readonly kind: "everybody" }
  | { readonly kind: "nobody" } // a list that is there and empty, or a rule without any word
  | { readonly kind: "endpoints"; readonly selectors: readonly EndpointSelector[] }
  | {
      readonly kind: "services";
      readonly selectors: readonly EndpointSelector[];
      readonly addresses: readonly string[];
    }
  | { readonly kind: "cidrs"; readonly cidrs: readonly CiliumCidr[] }
  | { readonly kind: "entities"; readonly entities: readonly CiliumEntity[] }
  | { readonly kind: "nodes"; readonly selectors: readonly LabelSelector[] }
  | { readonly kind: "names"; readonly patterns: readonly string[] };

export const CILIUM_ENTITIES = [
  "all",
  "world",
  "world-ipv4",
  "world-ipv6",
  "cluster",
  "host",
  "remote-node",
  "kube-apiserver",
  "health",
  "init",
  "unmanaged",
  "ingress",
  "none",
] as const;
export type CiliumEntity = (typeof CILIUM_ENTITIES)[number];

export interface CiliumRule {
  readonly name: string; // e.g. "ingress[0]"
  readonly action: "allow" | "deny";
  readonly peers: CiliumPeers;
  readonly services: ServiceMatch | undefined; // absent: every one
  /** What the rule also looks at and we do not, e.g. "http rules"; it allows less than is shown here. */
  readonly narrowedBy: readonly string[];
}

/** One `spec` of a policy, all defaults applied. */
export interface CiliumPolicy {
  readonly name: string; // kind, namespace and name, as in sentences
  readonly subject:
    | { readonly kind: "endpoints"; readonly selector: EndpointSelector }
    | { readonly kind: "nodes"; readonly selector: LabelSelector };
  readonly closes: readonly ("ingress" | "egress")[]; // the default deny that it turns on
  readonly ingress: readonly CiliumRule[];
  readonly egress: readonly CiliumRule[];
}
