import { formatSelector } from "../../../model/label-selector.js";
import type { Inventory } from "../../../model/workload.js";
import { type Bundle, type BundleFile, type Loss, type RenderOptions, sortLosses } from "../../bundle.js";
import { LIFELINE_PREFIX } from "../../lifelines.js";
import type { PolicySet } from "../../policy-set.js";
import { selectorKey } from "../../selector-algebra.js";
import { expressForPods } from "../express-for-pods.js";
import { manifestBundle } from "../manifest-bundle.js";
import { nameOfSelector, slug, uniqueNames } from "../object-names.js";
import { type PodPolicy, podPoliciesOf, type RemotePeer, type RuleEntry } from "../pod-policies.js";
import type { PodTarget } from "../pod-target.js";
import { ruleComment, rulesAnnotation } from "../provenance.js";
import { type YamlComment, type YamlValue, yamlText } from "../yaml-text.js";
import { peerSelectors, subjectSelectors } from "./selector.js";
import { fitServices, servicePartsOf } from "./services.js";

const TARGET: PodTarget = {
  name: "CiliumNetworkPolicy",
  directions: ["ingress", "egress"],
  isClusterwide: true,
  hasExpressions: true,
  audit: "open",
  hasServiceAccounts: true,
  hasNames: true,
  addressesMean: "outsiders",
  fitServices,
};

type Way = "ingress" | "egress";

/** One object for each kind of peer, because they exclude each other within a rule. */
function peerParts(remotes: readonly RemotePeer[], way: Way): Record<string, YamlValue>[] {
  const side = way === "ingress" ? "from" : "to";
  if (remotes.some((remote) => remote.kind === "everybody")) return [{ [`${side}Entities`]: ["all"] }];
  const endpoints = remotes.flatMap((remote) =>
    remote.kind === "pods"
      ? peerSelectors(remote.selector.namespaces, remote.selector.labels, remote.selector.serviceAccounts)
      : [],
  );
  const cidrs = remotes.flatMap((remote) =>
    remote.kind === "addresses"
      ? [{ cidr: remote.cidr, ...(remote.except.length > 0 ? { except: [...remote.except] } : {}) }]
      : [],
  );
  const names = remotes.flatMap((remote) =>
    remote.kind === "name"
      ? [remote.pattern.includes("*") ? { matchPattern: remote.pattern } : { matchName: remote.pattern }]
      : [],
  );
  return [
    ...(endpoints.length > 0 ? [{ [`${side}Endpoints`]: endpoints }] : []),
    ...(cidrs.length > 0 ? [{ [`${side}CIDRSet`]: cidrs }] : []),
    ...(names.length > 0 ? [{ toFQDNs: names }] : []),
  ];
}

/** The rules of one direction; `- {}` when there are none, since an empty list would isolate nobody. */
function rulesOf(entries: readonly RuleEntry[], way: Way, hasNames: boolean): { rules: YamlValue[]; ids: RuleEntry[] } {
  const rules: YamlValue[] = [];
  const ids: RuleEntry[] = [];
  for (const entry of entries) {
    // Names work only where the agent sees the questions for them, on the same pods.
    const isDns = hasNames && entry.rule.id.startsWith(`${LIFELINE_PREFIX}dns-`);
    for (const peers of peerParts(entry.remotes, way)) {
      for (const services of servicePartsOf(entry.rule.services, isDns)) {
        rules.push({ ...peers, ...services });
        ids.push(entry);
      }
    }
  }
  return { rules: rules.length === 0 ? [{}] : rules, ids };
}

function manifest(
  policy: PodPolicy,
  subject: YamlValue,
  name: string,
  policySet: PolicySet,
  options: RenderOptions,
): string {
  const comments: YamlComment[] = [];
  const sections: Record<string, YamlValue> = {};
  const isEnforced = options.mode === "deny";
  const hasNames = isEnforced && policy.egress.some((entry) => entry.remotes.some((remote) => remote.kind === "name"));
  for (const way of policy.directions) {
    const { rules, ids } = rulesOf(policy[way], way, hasNames);
    ids.forEach((entry, at) => {
      comments.push({ path: ["spec", way, at], text: ruleComment(entry.rule) });
    });
    sections[way] = rules;
  }
  const rules = [...policy.ingress, ...policy.egress].map((entry) => entry.rule);
  return yamlText(
    {
      apiVersion: "cilium.io/v2",
      kind: policy.namespace === undefined ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy",
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
        endpointSelector: subject,
        // Always written: otherwise whichever section exists isolates.
        enableDefaultDeny: {
          ingress: isEnforced && policy.directions.includes("ingress"),
          egress: isEnforced && policy.directions.includes("egress"),
        },
        ...sections,
      },
    },
    comments,
  );
}

function conditions(policies: readonly PodPolicy[]): Loss[] {
  const conditional = (text: string): Loss => ({ ruleId: "bundle", kind: "conditional", text });
  const entries = policies.flatMap((policy) => [...policy.ingress, ...policy.egress]);
  const remotes = entries.flatMap((entry) => entry.remotes);
  const services = entries.flatMap((entry) => entry.rule.services);
  const losses = [
    conditional("Traffic between a pod and its own node is allowed unless the agent runs with allow-localhost=policy."),
    conditional("Pods on the host network are the node to Cilium: they need a host policy."),
    conditional("enableDefaultDeny needs Cilium 1.16 or newer; older agents isolate by the sections alone."),
  ];
  if (
    services.some(
      (service) => service.kind === "ports" && service.ports.first > 0 && service.ports.last > service.ports.first,
    )
  ) {
    losses.push(conditional("Port ranges need Cilium 1.16 or newer."));
  }
  if (services.some((service) => service.kind === "ports" && service.protocol === "sctp")) {
    losses.push(conditional("SCTP needs the agent option sctp.enabled=true."));
  }
  if (remotes.some((remote) => remote.kind === "addresses")) {
    losses.push(
      conditional(
        "CIDRs mean addresses outside the cluster: unless policy-cidr-match-mode says so they match neither pods nor nodes.",
      ),
    );
  }
  if (remotes.some((remote) => remote.kind === "name")) {
    losses.push(
      conditional(
        "Names are matched by the addresses that the DNS proxy saw: other names on the same address pass too.",
      ),
    );
  }
  return losses;
}

const APPLY = `Review the files, then apply them:

    kubectl apply -k .

A pod is isolated in the directions under \`enableDefaultDeny\`; what any policy allows may pass, unless some policy has
a deny rule for it. The API server is \`toEntities: kube-apiserver\` to Cilium: a rule that names it by address does not
match; neither do rules that name nodes by address.

To see what the files of \`--mode deny\` would drop before they do, put pods into audit mode on their node first:

    kubectl -n kube-system exec CILIUM_POD_OF_THE_NODE -- cilium-dbg endpoint config ENDPOINT_ID PolicyAuditMode=Enabled

Nothing of these pods is dropped then, and \`hubble observe --verdict AUDIT\` tells what would be, requests within a
conversation aside. An agent that restarts forgets it: repeat the command before trusting the mode again.

Audit files set \`enableDefaultDeny\` to false: nothing is dropped, and \`hubble observe\` tells which rule allows what. What
deny would drop is told by replaying recorded traffic with \`portolan replay\`.`;

const TAKE_BACK = `    kubectl delete -k .

Deleting the policies opens the pods again at once. Nothing else in the cluster was changed.`;

/** CiliumNetworkPolicies; for pods that are not selected by the name of their namespace, clusterwide ones. */
export function renderCilium(policySet: PolicySet, inventory: Inventory, options: RenderOptions): Bundle {
  const { expressed, written, losses, selection } = expressForPods(policySet, inventory, options, TARGET);
  const policies = podPoliciesOf(written, selection);
  const allLosses = sortLosses([...losses, ...conditions(policies)]);
  const files: BundleFile[] = [];
  const subjects = policies.flatMap((policy) => {
    const { namespace, namespaces, selector, serviceAccounts } = policy;
    const selectors = subjectSelectors(namespace === undefined ? namespaces : undefined, selector, serviceAccounts);
    return selectors.map((subject, part) => ({ policy, subject, part }));
  });
  for (const folder of new Set(subjects.map(({ policy }) => policy.namespace ?? ""))) {
    const names = uniqueNames(
      subjects.filter(({ policy }) => (policy.namespace ?? "") === folder),
      ({ policy }) => {
        const extra = policy.namespace === undefined ? [formatSelector(policy.namespaces)] : [];
        return `portolan-${nameOfSelector(policy.selector, [...extra, ...policy.serviceAccounts])}`;
      },
      ({ policy, part }) => `${selectorKey(policy.namespaces)} ${selectorKey(policy.selector)} ${part}`,
    );
    for (const [{ policy, subject }, name] of names) {
      const path = `${folder === "" ? "clusterwide" : `namespaces/${folder}`}/${name}.yaml`;
      files.push({ path, text: manifest(policy, subject, name, policySet, options) });
    }
  }
  const readme = {
    title: "Cilium network policies",
    policySet,
    mode: options.mode,
    apply: APPLY,
    takeBack: TAKE_BACK,
    losses: allLosses,
  };
  return manifestBundle(files, readme, expressed);
}
