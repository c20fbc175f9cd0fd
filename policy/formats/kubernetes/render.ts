import type { LabelSelector } from "../../../model/label-selector.js";
import type { Inventory } from "../../../model/workload.js";
import { type Bundle, type BundleFile, type Loss, type RenderOptions, sortLosses } from "../../bundle.js";
import type { PolicySet } from "../../policy-set.js";
import { selectorKey } from "../../selector-algebra.js";
import { expressForPods } from "../express-for-pods.js";
import { manifestBundle } from "../manifest-bundle.js";
import { nameOfSelector, slug, uniqueNames } from "../object-names.js";
import { type PodPolicy, podPoliciesOf, type RemotePeer, type RuleEntry } from "../pod-policies.js";
import type { PodTarget } from "../pod-target.js";
import { ruleComment, rulesAnnotation } from "../provenance.js";
import { type YamlComment, type YamlValue, yamlText } from "../yaml-text.js";
import { fitServices, portsOf } from "./services.js";

const TARGET: PodTarget = {
  name: "Kubernetes NetworkPolicy",
  directions: ["ingress", "egress"],
  isClusterwide: false,
  hasExpressions: true,
  audit: "none",
  hasServiceAccounts: false,
  hasNames: false,
  addressesMean: "anyone",
  fitServices,
};

function labelSelector(selector: LabelSelector): YamlValue {
  const matchLabels: Record<string, YamlValue> = {};
  const matchExpressions: YamlValue[] = [];
  for (const requirement of selector.requirements) {
    if (
      requirement.operator === "In" &&
      requirement.values.length === 1 &&
      !Object.hasOwn(matchLabels, requirement.key)
    ) {
      matchLabels[requirement.key] = requirement.values[0] as string;
    } else {
      matchExpressions.push({
        key: requirement.key,
        operator: requirement.operator,
        ...("values" in requirement ? { values: [...requirement.values] } : {}),
      });
    }
  }
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

function peer(remote: RemotePeer): YamlValue {
  switch (remote.kind) {
    case "pods":
      // Both in one item: the pods that meet the second in the namespaces that meet the first.
      return {
        namespaceSelector: labelSelector(remote.selector.namespaces),
        podSelector: labelSelector(remote.selector.labels),
      };
    case "addresses":
      return { ipBlock: { cidr: remote.cidr, ...(remote.except.length > 0 ? { except: [...remote.except] } : {}) } };
    case "name":
    case "everybody":
      throw new TypeError(`Cannot render peer "${remote.kind}": NetworkPolicy has no word for it`);
  }
}

function ruleOf(entry: RuleEntry, direction: "ingress" | "egress"): YamlValue {
  const isEverybody = entry.remotes.some((remote) => remote.kind === "everybody");
  const ports = portsOf(entry.rule.services);
  return {
    // A missing list means everybody, as an empty one would.
    ...(isEverybody ? {} : { [direction === "ingress" ? "from" : "to"]: entry.remotes.map(peer) }),
    ...(ports === undefined ? {} : { ports }),
  };
}

function manifest(policy: PodPolicy, name: string, policySet: PolicySet): string {
  const comments: YamlComment[] = [];
  const sections: Record<string, YamlValue> = {};
  for (const direction of policy.directions) {
    sections[direction] = policy[direction].map((entry, at) => {
      comments.push({ path: ["spec", direction, at], text: ruleComment(entry.rule) });
      return ruleOf(entry, direction);
    });
  }
  const rules = [...policy.ingress, ...policy.egress].map((entry) => entry.rule);
  return yamlText(
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: {
        name,
        ...(policy.namespace === undefined ? {} : { namespace: policy.namespace }),
        labels: { "app.kubernetes.io/managed-by": "portolan", "portolan/policy-set": slug(policySet.name) },
        annotations: {
          "portolan/generation": String(policySet.generation),
          ...(rules.length > 0 ? { "portolan/rules": rulesAnnotation(rules) } : {}),
        },
      },
      spec: {
        podSelector: labelSelector(policy.selector),
        // Always written: left out, Ingress is assumed and Egress only when there is an egress section.
        policyTypes: policy.directions.map((direction) => (direction === "ingress" ? "Ingress" : "Egress")),
        ...sections,
      },
    },
    comments,
  );
}

function conditions(policies: readonly PodPolicy[], options: RenderOptions): Loss[] {
  const conditional = (text: string): Loss => ({ ruleId: "bundle", kind: "conditional", text });
  const losses = [
    conditional("The cluster's network plugin must enforce NetworkPolicy; many do nothing with it."),
    conditional("Traffic between a pod and its own node, such as kubelet probes, is always allowed."),
    conditional("Pods on the host network are not selected reliably; plugins treat them as the node."),
    conditional("Connections that are open when a policy arrives are kept or cut as the network plugin sees fit."),
  ];
  if (options.mode === "audit") {
    losses.push(conditional("NetworkPolicy has no audit mode: once applied, the files deny."));
  }
  const remotes = policies.flatMap((policy) => [...policy.ingress, ...policy.egress]).flatMap((entry) => entry.remotes);
  if (remotes.some((remote) => remote.kind === "addresses")) {
    losses.push(
      conditional(
        "Whether an ipBlock matches pods and nodes depends on the plugin: Calico compares any packet, Cilium matches neither by default.",
      ),
    );
  }
  return losses;
}

const APPLY = `Review the files, then apply them:

    kubectl apply -k .

Policies add up: a pod that any of them selects is isolated in the directions under \`policyTypes\`, and what any of
them allows may pass. Applying the files namespace by namespace is safe in any order; traffic between two isolated
pods passes once both ends have their file.

If the cluster runs Istio in ambient mode, pods also need TCP 15008 inbound. If its DNS pods listen on a port other
than 53, as OpenShift's do, add that port to the egress rules marked lifeline-dns.`;

const TAKE_BACK = `    kubectl delete -k .

Deleting the policies opens the pods again at once. Nothing else in the cluster was changed.`;

/** NetworkPolicies, one for each selector of isolated pods, with the reason of every rule beside it. */
export function renderKubernetes(policySet: PolicySet, inventory: Inventory, options: RenderOptions): Bundle {
  const { expressed, written, losses, selection } = expressForPods(policySet, inventory, options, TARGET);
  const policies = podPoliciesOf(written, selection);
  const allLosses = sortLosses([...losses, ...conditions(policies, options)]);
  const files: BundleFile[] = [];
  for (const namespace of new Set(policies.flatMap((policy) => policy.namespace ?? []))) {
    const inside = policies.filter((policy) => policy.namespace === namespace);
    const names = uniqueNames(
      inside,
      (policy) => `portolan-${nameOfSelector(policy.selector)}`,
      (policy) => selectorKey(policy.selector),
    );
    for (const [policy, name] of names) {
      files.push({ path: `${namespace}/${name}.yaml`, text: manifest(policy, name, policySet) });
    }
  }
  const readme = {
    title: "Kubernetes NetworkPolicies",
    policySet,
    mode: options.mode,
    apply: APPLY,
    takeBack: TAKE_BACK,
    losses: allLosses,
  };
  return manifestBundle(files, readme, expressed);
}
