import { EVERYTHING, type Labels, selectorOfLabels } from "../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { Peer, WorkloadSelector } from "../../policy/peer.js";
import type { PolicySet } from "../../policy/policy-set.js";
import type { Service } from "../../policy/service.js";

export function workload(id: string, labels: Labels, addresses: readonly string[], kind = "Deployment"): Workload {
  const [namespace, name] = id.split("/") as [string, string];
  return { id, namespace, name, kind, labels, addresses: addresses.map((address) => ({ address })) };
}

export function inventoryOf(workloads: readonly Workload[]): Inventory {
  const names = [...new Set(workloads.map((each) => each.namespace))].sort();
  return {
    ...EMPTY_INVENTORY,
    workloads: [...workloads].sort((a, b) => (a.id < b.id ? -1 : 1)),
    namespaces: names.map((name) => ({ name, labels: {} })),
  };
}

export function pods(namespace: string, labels: Labels): WorkloadSelector {
  const namespaces = selectorOfLabels({ "kubernetes.io/metadata.name": namespace });
  return { namespaces, labels: selectorOfLabels(labels), serviceAccounts: [] };
}

export const everyPod: WorkloadSelector = { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: [] };

export function peer(namespace: string, labels: Labels): Peer {
  return { kind: "workloads", selector: pods(namespace, labels) };
}

export function cidr(text: string, except: readonly string[] = []): Peer {
  return { kind: "cidr", cidr: text, except };
}

export function ports(protocol: "tcp" | "udp" | "sctp", first: number, last = first): Service {
  return { kind: "ports", protocol, ports: { first, last } };
}

export function rule(id: string, client: Peer, server: Peer, services: readonly Service[]): AllowRule {
  return { id, client, server, services, reason: `${id} was seen`, confidence: 1, widenings: [] };
}

export function policySet(rules: readonly AllowRule[], isolations: PolicySet["isolations"]): PolicySet {
  return { version: 1, name: "shop", generation: 3, rules, isolations, groups: [] };
}

/** Web in front of an API in front of a database host; the API also calls a partner network. */
export const SHOP: { inventory: Inventory; policy: PolicySet } = {
  inventory: {
    ...inventoryOf([
      workload("shop/web", { app: "web" }, ["10.0.0.10", "2001:db8::10"]),
      workload("shop/api", { app: "api" }, ["10.0.0.20", "2001:db8::20"]),
      workload("data/db", { app: "db" }, ["10.0.1.30"], "VM"),
    ]),
    lifelines: {
      management: ["10.9.0.0/24"],
      resolvers: ["10.0.0.53/32"],
      timeServers: ["10.0.0.123/32"],
      controllers: [{ address: "10.9.0.5", port: 7443 }],
    },
  },
  policy: policySet(
    [
      rule("r1-web", { kind: "any" }, peer("shop", { app: "web" }), [ports("tcp", 443)]),
      rule("r2-api", peer("shop", { app: "web" }), peer("shop", { app: "api" }), [ports("tcp", 8080, 8090)]),
      rule("r3-db", peer("shop", { app: "api" }), peer("data", { app: "db" }), [ports("tcp", 5432)]),
      rule("r4-partner", peer("shop", { app: "api" }), cidr("198.51.100.0/24", ["198.51.100.64/26"]), [
        ports("tcp", 443),
        { kind: "icmp", protocol: "icmp", type: 8 },
      ]),
    ],
    [
      { selector: pods("data", { app: "db" }), direction: "ingress", mode: "audit" },
      { selector: pods("shop", { app: "api" }), direction: "egress", mode: "audit" },
      { selector: pods("shop", { app: "api" }), direction: "ingress", mode: "audit" },
      { selector: pods("shop", { app: "web" }), direction: "ingress", mode: "audit" },
    ],
  ),
};
