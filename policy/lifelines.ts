import { selectorOfLabels } from "../model/label-selector.js";
import type { AddressGroup, Inventory } from "../model/workload.js";
import type { AllowRule } from "./allow-rule.js";
import type { Peer } from "./peer.js";
import type { Isolation } from "./policy-set.js";
import type { Service } from "./service.js";

export const LIFELINE_PREFIX = "lifeline-";

const port = (protocol: "tcp" | "udp", first: number): Service => ({
  kind: "ports",
  protocol,
  ports: { first, last: first },
});

/** Names are asked over both: an answer that is too long for UDP is asked again over TCP. */
const DNS: readonly Service[] = [port("tcp", 53), port("udp", 53)];

/** Where the node's own DNS cache listens; it is the node that answers, so no pod selector finds it. */
const NODE_LOCAL_DNS = "169.254.20.10/32";

/** The pods that answer for the cluster's DNS service. */
const CLUSTER_DNS: Peer = {
  kind: "workloads",
  selector: {
    namespaces: selectorOfLabels({ "kubernetes.io/metadata.name": "kube-system" }),
    labels: selectorOfLabels({ "k8s-app": "kube-dns" }),
    serviceAccounts: [],
  },
};

function lifeline(id: string, client: Peer, server: Peer, services: readonly Service[], reason: string): AllowRule {
  return {
    id: `${LIFELINE_PREFIX}${id}`,
    client,
    server,
    services,
    reason,
    confidence: 1,
    widenings: [{ kind: "lifeline", text: reason, cells: 0 }],
  };
}

/** The name of the group of resolvers that `dnsLifelines` refers to. */
const RESOLVERS = "lifeline resolvers";

/** The node's own DNS cache and the resolvers that the inventory names. */
export function resolverGroup(inventory: Inventory): AddressGroup {
  return { name: RESOLVERS, cidrs: [...new Set([NODE_LOCAL_DNS, ...inventory.lifelines.resolvers])].sort() };
}

/**
 * Rules without which a pod with isolated egress cannot ask for any name: cluster DNS, and the addresses of
 * `resolverGroup`, which the policy set must hold. Like every rule they hold at both ends.
 */
export function dnsLifelines(isolations: readonly Isolation[]): AllowRule[] {
  const egress = isolations.filter((isolation) => isolation.direction === "egress");
  return egress.flatMap((isolation, index) => {
    const client: Peer = { kind: "workloads", selector: isolation.selector };
    const resolvers: Peer = { kind: "group", name: RESOLVERS };
    return [
      lifeline(`dns-${index + 1}`, client, CLUSTER_DNS, DNS, "names are asked at the cluster's DNS"),
      lifeline(
        `resolvers-${index + 1}`,
        client,
        resolvers,
        DNS,
        "names are asked at the node's cache and at resolvers",
      ),
    ];
  });
}
