import { type LabelSelector, type Labels, matchesLabels, meetsRequirement } from "../../../model/label-selector.js";
import type { Workload } from "../../../model/workload.js";
import { ALL_ENDS, allOf, anyOf, type EndSet, NO_ENDS } from "../../decision/end-set.js";
import {
  ALL_SERVICE_MATCH,
  type Closure,
  type Direction,
  type Entry,
  type Program,
  type Stage,
} from "../../decision/program.js";
import type { NameTable } from "../../neutral.js";
import { type Cluster, nodeWorkloadId } from "../kubernetes/cluster.js";
import { podCensus } from "../pod-target.js";
import {
  CILIUM_ENTITIES,
  type CiliumEntity,
  type CiliumPeers,
  type CiliumPolicy,
  type CiliumRule,
  type EndpointSelector,
} from "./cilium-policy.js";

/** The labels that Cilium gives a pod's endpoint, all of the source `k8s`. */
function endpointLabels(workload: Workload, namespaceLabels: Labels): Labels {
  const labels: Record<string, string> = {
    "io.kubernetes.pod.namespace": workload.namespace,
    "io.cilium.k8s.policy.cluster": "default",
  };
  if (workload.serviceAccount !== undefined) labels["io.cilium.k8s.policy.serviceaccount"] = workload.serviceAccount;
  for (const [key, value] of Object.entries(workload.labels)) labels[key] = value;
  for (const [key, value] of Object.entries(namespaceLabels)) labels[`io.cilium.k8s.namespace.labels.${key}`] = value;
  return labels;
}

function matchesSelector({ labels, namespace }: EndpointSelector, workload: Workload, own: Labels): boolean {
  if (namespace !== undefined && workload.namespace !== namespace) return false;
  return labels.requirements.every((requirement) => {
    const [, source, key] = /^(?:([a-z0-9]+):)?(.*)$/s.exec(requirement.key) as unknown as [
      string,
      string | undefined,
      string,
    ];
    if (source === undefined || source === "k8s" || source === "any")
      return meetsRequirement(own, { ...requirement, key });
    // Pods have no labels of other sources, such as `reserved`.
    return requirement.operator === "NotIn" || requirement.operator === "DoesNotExist";
  });
}

/** A selector of nodes whose keys have no source. */
function bareKeys({ requirements }: LabelSelector): LabelSelector {
  return { requirements: requirements.map((each) => ({ ...each, key: each.key.replace(/^(k8s|any|node):/, "") })) };
}

/** Cilium leaves labels out that Kubernetes itself sets: a policy that asks for them is valid and selects no node. */
const NO_HOST_LABEL = /^((.*beta\.)?kubernetes\.io|io\.kubernetes|k8s\.io)\//;

function hostLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !NO_HOST_LABEL.test(key)));
}

const UNSEEN_LETTERS = "[-a-zA-Z0-9_]*";

/** `*` stays within one label, `**.` before a name stands for any number of them, and `*` alone for every name. */
function patternExpression(pattern: string): RegExp {
  if (pattern === "*") return /^/;
  const body = pattern.replace(/\.$/, "");
  const rest = body.startsWith("**.") ? body.slice(3) : body;
  const text = rest
    .split("*")
    .map((part) => part.replace(/[.\\]/g, "\\$&"))
    .join(UNSEEN_LETTERS);
  return new RegExp(`^${body.startsWith("**.") ? "([-a-zA-Z0-9_]+\\.)+" : ""}${text}$`, "i");
}

class CiliumMeaning {
  readonly #pods: readonly { readonly workload: Workload; readonly labels: Labels }[];
  readonly #everyPod: EndSet;
  readonly #nodes: EndSet;

  constructor(
    readonly cluster: Cluster,
    readonly names: NameTable,
  ) {
    const { isPod } = podCensus(cluster.inventory.workloads);
    const namespaces = new Map(cluster.inventory.namespaces.map(({ name, labels }) => [name, labels]));
    this.#pods = cluster.inventory.workloads
      // A pod on the host network is the node to Cilium.
      .filter((workload) => isPod(workload) && !cluster.hostNetwork.has(workload.id))
      .map((workload) => {
        const ofNamespace = {
          ...namespaces.get(workload.namespace),
          "kubernetes.io/metadata.name": workload.namespace,
        };
        return { workload, labels: endpointLabels(workload, ofNamespace) };
      });
    this.#everyPod = { kind: "listed", workloads: this.#pods.map(({ workload }) => workload.id) };
    const addresses = cluster.nodes.flatMap((node) => node.addresses);
    this.#nodes = anyOf([
      { kind: "addresses", cidrs: addresses, of: "anyone" },
      { kind: "listed", workloads: [...cluster.hostNetwork].sort() },
    ]);
  }

  pods(selectors: readonly EndpointSelector[]): EndSet {
    const found = this.#pods.filter(({ workload, labels }) =>
      selectors.some((selector) => matchesSelector(selector, workload, labels)),
    );
    return { kind: "listed", workloads: found.map(({ workload }) => workload.id) };
  }

  /** Addresses of neither pods nor nodes: a CIDR matches no other. */
  #outside(cidrs: readonly string[]): EndSet {
    const inside: EndSet = { kind: "addresses", cidrs, of: "anyone" };
    return allOf([inside, { kind: "not", set: this.#everyPod }, { kind: "not", set: this.#nodes }]);
  }

  #entity(entity: CiliumEntity): EndSet {
    switch (entity) {
      case "all":
        return ALL_ENDS;
      case "world":
        return this.#outside(["0.0.0.0/0", "::/0"]);
      case "world-ipv4":
        return this.#outside(["0.0.0.0/0"]);
      case "world-ipv6":
        return this.#outside(["::/0"]);
      case "cluster":
        return anyOf([this.#everyPod, this.#nodes]);
      case "host":
      case "remote-node":
        return this.#nodes;
      // Nobody in the manifests tells where these are.
      case "kube-apiserver":
      case "health":
      case "init":
      case "unmanaged":
      case "ingress":
      case "none":
        return NO_ENDS;
    }
  }

  /** What selectors mean that ask for a label of the source `reserved`: not pods but the entity of that name. */
  #reserved(selectors: readonly EndpointSelector[]): EndSet[] {
    return selectors.flatMap(({ labels }) => {
      const names = labels.requirements.flatMap(({ key, operator }) =>
        key.startsWith("reserved:") && (operator === "In" || operator === "Exists")
          ? [key.slice("reserved:".length)]
          : [],
      );
      const isAlone = names.length === 1 && labels.requirements.length === 1;
      return isAlone
        ? CILIUM_ENTITIES.filter((entity) => entity === names[0]).map((entity) => this.#entity(entity))
        : [];
    });
  }

  peers(peers: CiliumPeers): EndSet {
    switch (peers.kind) {
      case "everybody":
        return ALL_ENDS;
      case "nobody":
        return NO_ENDS;
      case "endpoints":
        return anyOf([this.pods(peers.selectors), ...this.#reserved(peers.selectors)]);
      case "services":
        return anyOf([this.pods(peers.selectors), { kind: "addresses", cidrs: peers.addresses, of: "anyone" }]);
      case "cidrs":
        return anyOf(
          peers.cidrs.map(({ cidrs, except }) => {
            if (except.length === 0) return this.#outside(cidrs);
            return allOf([
              this.#outside(cidrs),
              { kind: "not", set: { kind: "addresses", cidrs: except, of: "anyone" } },
            ]);
          }),
        );
      case "entities":
        return anyOf(peers.entities.map((entity) => this.#entity(entity)));
      case "nodes": {
        const nodes = this.cluster.nodes.filter((node) =>
          peers.selectors.some((selector) => matchesLabels(bareKeys(selector), hostLabels(node.labels))),
        );
        return { kind: "addresses", cidrs: nodes.flatMap((node) => node.addresses), of: "anyone" };
      }
      case "names": {
        const expressions = peers.patterns.map(patternExpression);
        const found = [...this.names].filter(([name]) => expressions.some((expression) => expression.test(name)));
        const addresses = [...new Set(found.flatMap(([, addresses]) => addresses))].sort();
        return { kind: "addresses", cidrs: addresses, of: "anyone" };
      }
    }
  }

  /** A policy for nodes governs those that are workloads (see `withNodes`), and the pods that share their network. */
  subjects({ subject }: CiliumPolicy): EndSet {
    if (subject.kind === "endpoints") return this.pods([subject.selector]);
    const { nodes, nodeOf, hostNetwork } = this.cluster;
    const selected = nodes.filter(({ labels }) => matchesLabels(bareKeys(subject.selector), hostLabels(labels)));
    const names = new Set(selected.map(({ name }) => name));
    const onThem = [...hostNetwork].filter((id) => names.has(nodeOf.get(id) ?? "")).sort();
    return { kind: "listed", workloads: [...selected.map(({ name }) => nodeWorkloadId(name)), ...onThem] };
  }
}

function noteOf({ narrowedBy }: CiliumRule): string {
  return narrowedBy.length === 0 ? "" : ` (narrower than shown: ${narrowedBy.join(", ")})`;
}

const DENY_RANK = 0; // a deny rule beats every allow
export const ALLOW_RANK = 1;

function stageOf(policies: readonly CiliumPolicy[], direction: Direction, meaning: CiliumMeaning): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  for (const policy of policies) {
    const subjects = meaning.subjects(policy);
    if (policy.closes.includes(direction)) closures.push({ subjects, source: { policy: policy.name, rule: "" } });
    for (const rule of policy[direction]) {
      entries.push({
        rank: rule.action === "deny" ? DENY_RANK : ALLOW_RANK,
        subjects,
        peers: meaning.peers(rule.peers),
        services: rule.services ?? ALL_SERVICE_MATCH,
        action: rule.action,
        source: { policy: policy.name, rule: `${policy.name} ${rule.name}${noteOf(rule)}` },
      });
    }
  }
  return { name: "Cilium", entries, closures };
}

/** What Cilium makes of the policies: denied if a deny rule matches, else allowed if any rule allows or nobody closes. */
export function programOfCilium(
  policies: readonly CiliumPolicy[],
  cluster: Cluster,
  names: NameTable = new Map(),
): Program {
  const meaning = new CiliumMeaning(cluster, names);
  const direction = (of: Direction) => ({ enforced: [stageOf(policies, of, meaning)], trial: [] });
  return { ingress: direction("ingress"), egress: direction("egress"), selfTraffic: "allowed" };
}
