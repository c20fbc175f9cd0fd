import { parseCidr } from "../../../model/cidr.js";
import { formatSelector } from "../../../model/label-selector.js";
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
import { type EntitySelector, entitySelectors } from "./selector.js";
import { fitServices, servicePartsOf } from "./services.js";

const TARGET: PodTarget = {
  name: "Calico NetworkPolicy",
  directions: ["ingress", "egress"],
  isClusterwide: true,
  hasExpressions: true,
  audit: "staged",
  hasServiceAccounts: true,
  hasNames: false,
  addressesMean: "anyone",
  fitServices,
};

/** The tier that every installation has. Policies of one tier add up as long as all of them allow. */
const TIER = "default";
const ORDER = 1000; // where Kubernetes NetworkPolicies stand
const MOST_RULES = 1024; // in one direction of one object
const MOST_NETS = 256; // of one entity

type Way = "ingress" | "egress";
type Entity = Record<string, YamlValue>;

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** One entity for each rule that the other end needs; IPv4 and IPv6 must not meet in one. */
function remoteEntities(remotes: readonly RemotePeer[]): Entity[] {
  if (remotes.some((remote) => remote.kind === "everybody")) return [{}];
  const pods = remotes.flatMap((remote): Entity[] => {
    if (remote.kind !== "pods") return [];
    const { namespaces, labels, serviceAccounts } = remote.selector;
    return entitySelectors(namespaces, labels, serviceAccounts).map(({ namespaceSelector, selector }) => ({
      namespaceSelector,
      selector,
    }));
  });
  const plain: { 4: string[]; 6: string[] } = { 4: [], 6: [] };
  const holed: Entity[] = [];
  for (const remote of remotes) {
    if (remote.kind !== "addresses") continue;
    if (remote.except.length === 0) plain[parseCidr(remote.cidr).family].push(remote.cidr);
    else holed.push({ nets: [remote.cidr], notNets: [...remote.except] });
  }
  const nets = ([4, 6] as const).flatMap((family) => chunks(plain[family], MOST_NETS)).map((list) => ({ nets: list }));
  return [...pods, ...nets, ...holed];
}

function rulesOf(entry: RuleEntry, way: Way): YamlValue[] {
  return remoteEntities(entry.remotes).flatMap((remote) =>
    servicePartsOf(entry.rule.services).map(({ rule, ports }): YamlValue => {
      const source = way === "ingress" ? remote : {};
      const destination = {
        ...(way === "ingress" ? {} : remote),
        ...(ports === undefined ? {} : { ports: [...ports] }),
      };
      return {
        action: "Allow",
        ...rule,
        ...(Object.keys(source).length > 0 ? { source } : {}),
        ...(Object.keys(destination).length > 0 ? { destination } : {}),
        metadata: { annotations: { "portolan/rule": entry.rule.id } },
      };
    }),
  );
}

/** The rules of a direction in objects of at most so many, with the entry that each comes from. */
function ruleChunks(policy: PodPolicy, way: Way) {
  const rules = policy[way].flatMap((entry) => rulesOf(entry, way).map((rule) => ({ rule, entry })));
  const parts = chunks(rules, MOST_RULES);
  return parts.length === 0 ? [[]] : parts;
}

interface Piece {
  readonly policy: PodPolicy;
  readonly subject: EntitySelector;
  readonly number: number; // 0, 1, 2 ... among the objects of one policy
  readonly ingress: ReturnType<typeof ruleChunks>[number];
  readonly egress: ReturnType<typeof ruleChunks>[number];
}

function piecesOf(policy: PodPolicy): Piece[] {
  const [ingress, egress] = [ruleChunks(policy, "ingress"), ruleChunks(policy, "egress")];
  return entitySelectors(policy.namespaces, policy.selector, policy.serviceAccounts).flatMap((subject) =>
    Array.from({ length: Math.max(ingress.length, egress.length) }, (_, number) => ({
      policy,
      subject,
      number,
      ingress: ingress[number] ?? [],
      egress: egress[number] ?? [],
    })),
  );
}

function kindOf({ policy }: Piece, options: RenderOptions): string {
  return `${options.mode === "audit" ? "Staged" : ""}${policy.namespace === undefined ? "Global" : ""}NetworkPolicy`;
}

function manifest(piece: Piece, name: string, policySet: PolicySet, options: RenderOptions): string {
  const { policy, subject } = piece;
  const comments: YamlComment[] = [];
  const sections: Record<string, YamlValue> = {};
  for (const way of policy.directions) {
    let previous: RuleEntry | undefined;
    sections[way] = piece[way].map(({ rule, entry }, at) => {
      if (entry !== previous) comments.push({ path: ["spec", way, at], text: ruleComment(entry.rule) });
      previous = entry;
      return rule;
    });
  }
  const rules = [...policy.ingress, ...policy.egress].map((entry) => entry.rule);
  return yamlText(
    {
      apiVersion: "projectcalico.org/v3",
      kind: kindOf(piece, options),
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
        ...(options.mode === "audit" ? { stagedAction: "Set" } : {}),
        tier: TIER,
        order: ORDER,
        ...(policy.namespace === undefined ? { namespaceSelector: subject.namespaceSelector } : {}),
        selector: subject.selector,
        // Always written: left out, they are inferred from the rules, and without rules only Ingress is.
        types: policy.directions.map((way) => (way === "ingress" ? "Ingress" : "Egress")),
        ...sections,
      },
    },
    comments,
  );
}

const CONDITIONS = [
  `The files go into the tier "${TIER}": policies of tiers before it, and policies there with an order below ${ORDER}, decide first.`,
  "Calico keeps connections that are open when a policy arrives.",
  "Traffic between a pod and its own node is allowed unless Felix is told otherwise (DefaultEndpointToHostAction, HostEndpoints).",
];

const APPLY = `Review the files, then apply them; the Calico API server or calicoctl understands the kinds:

    kubectl apply -k .

Kinds are written with their group: \`kubectl get networkpolicies.projectcalico.org\`, because the short names belong to
other planes too.

Audit files are Staged kinds: Calico judges traffic by them and tells the result in its flow logs (\`pending_policies\`)
without dropping anything. Only pods are judged so, not host endpoints. To enforce, apply the files of \`--mode deny\`
and delete the staged ones.`;

const TAKE_BACK = `    kubectl delete -k .

Deleting the policies opens the pods again at once. Nothing else in the cluster was changed.`;

/** Calico policies, enforced or staged; global ones for pods that are not selected by the name of their namespace. */
export function renderCalico(policySet: PolicySet, inventory: Inventory, options: RenderOptions): Bundle {
  const { expressed, written, losses, selection } = expressForPods(policySet, inventory, options, TARGET);
  const conditions = CONDITIONS.map((text): Loss => ({ ruleId: "bundle", kind: "conditional", text }));
  const allLosses = sortLosses([...losses, ...conditions]);
  const pieces = podPoliciesOf(written, selection).flatMap(piecesOf);
  const files: BundleFile[] = [];
  for (const folder of new Set(pieces.map(({ policy }) => policy.namespace ?? ""))) {
    const names = uniqueNames(
      pieces.filter(({ policy }) => (policy.namespace ?? "") === folder),
      ({ policy }) => {
        const extra = policy.namespace === undefined ? [formatSelector(policy.namespaces)] : [];
        return `portolan-${nameOfSelector(policy.selector, [...extra, ...policy.serviceAccounts])}`;
      },
      ({ policy, subject, number }) => `${selectorKey(policy.selector)} ${JSON.stringify(subject)} ${number}`,
    );
    for (const [piece, name] of names) {
      const path = `${folder === "" ? "global" : `namespaces/${folder}`}/${name}.yaml`;
      // The tier before the name was demanded up to 3.31 and is allowed since.
      files.push({ path, text: manifest(piece, `${TIER}.${name}`, policySet, options) });
    }
  }
  const readme = {
    title: "Calico network policies",
    policySet,
    mode: options.mode,
    apply: APPLY,
    takeBack: TAKE_BACK,
    losses: allLosses,
  };
  return manifestBundle(files, readme, expressed);
}
