import type { Inventory } from "../../../model/workload.js";
import { cidrTexts, rangesOfCidrs, subtractRanges } from "../../address-ranges.js";
import { type Bundle, type BundleFile, type Loss, type RenderOptions, sortLosses } from "../../bundle.js";
import type { PolicySet } from "../../policy-set.js";
import { selectorKey } from "../../selector-algebra.js";
import { expressForPods } from "../express-for-pods.js";
import { manifestBundle } from "../manifest-bundle.js";
import { nameOfSelector, slug, uniqueNames } from "../object-names.js";
import { type PodPolicy, type PodsSelection, podPoliciesOf, type RuleEntry } from "../pod-policies.js";
import type { PodTarget } from "../pod-target.js";
import { ruleComment, rulesAnnotation } from "../provenance.js";
import { type YamlComment, type YamlValue, yamlText } from "../yaml-text.js";
import { accountsOf, fitClient } from "./identities.js";
import { fitServices, NOT_TCP, portsOf } from "./services.js";

const TARGET: PodTarget = {
  name: "Istio AuthorizationPolicy",
  directions: ["ingress"],
  isClusterwide: false,
  hasExpressions: false,
  audit: "staged",
  hasServiceAccounts: false,
  hasNames: false,
  addressesMean: "anyone",
  rootNamespace: "istio-system",
  unjudged: {
    services: NOT_TCP,
    text: "Istio judges TCP alone: UDP, SCTP, ICMP and other protocols reach isolated pods.",
  },
  fitClient: (peer, selection) => fitClient(peer, selection) ?? { kind: "said", peer },
  fitServices,
};

const MOST_ACCOUNTS = 16; // of one source
const MOST_SOURCES = 512; // of one rule
const MOST_RULES = 512; // of one object

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** The `from` list; `undefined` is everybody. Negated fields are never written: plaintext slips by them. */
function sourcesOf({ remotes }: RuleEntry, selection: PodsSelection): YamlValue[] | undefined {
  if (remotes.some((remote) => remote.kind === "everybody")) return undefined;
  const accounts = remotes.flatMap((remote) =>
    remote.kind === "pods" ? accountsOf(selection.select(remote.selector).filter(selection.isPod)) : [],
  );
  const ranges = remotes.flatMap((remote) =>
    remote.kind === "addresses" ? subtractRanges(rangesOfCidrs([remote.cidr]), rangesOfCidrs(remote.except)) : [],
  );
  const blocks = cidrTexts(ranges);
  return [
    ...chunks([...new Set(accounts)].sort(), MOST_ACCOUNTS).map((serviceAccounts) => ({ source: { serviceAccounts } })),
    ...(blocks.length > 0 ? [{ source: { ipBlocks: blocks } }] : []),
  ];
}

function rulesOf(entry: RuleEntry, selection: PodsSelection): YamlValue[] {
  const sources = sourcesOf(entry, selection);
  const ports = portsOf(entry.rule.services);
  const to = ports === undefined ? {} : { to: [{ operation: { ports } }] };
  if (sources === undefined) return [to];
  return chunks(sources, MOST_SOURCES).map((from) => ({ from, ...to }));
}

interface Piece {
  readonly policy: PodPolicy;
  readonly number: number;
  readonly rules: readonly { readonly rule: YamlValue; readonly entry: RuleEntry }[];
}

function piecesOf(policy: PodPolicy, selection: PodsSelection): Piece[] {
  const rules = policy.ingress.flatMap((entry) => rulesOf(entry, selection).map((rule) => ({ rule, entry })));
  const parts = chunks(rules, MOST_RULES);
  return (parts.length === 0 ? [[]] : parts).map((part, number) => ({ policy, number, rules: part }));
}

function manifest({ policy, rules }: Piece, name: string, policySet: PolicySet, options: RenderOptions): string {
  const matchLabels: Record<string, string> = {};
  for (const requirement of policy.selector.requirements) {
    if (requirement.operator === "In") matchLabels[requirement.key] = requirement.values[0] as string;
  }
  const comments = rules.map(
    ({ entry }, at): YamlComment => ({ path: ["spec", "rules", at], text: ruleComment(entry.rule) }),
  );
  const provenance = policy.ingress.map((entry) => entry.rule);
  return yamlText(
    {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: {
        name,
        ...(policy.namespace === undefined ? {} : { namespace: policy.namespace }),
        labels: { "app.kubernetes.io/managed-by": "portolan", "portolan/policy-set": slug(policySet.name) },
        annotations: {
          ...(options.mode === "audit" ? { "istio.io/dry-run": "true" } : {}),
          "portolan/generation": String(policySet.generation),
          ...(provenance.length > 0 ? { "portolan/rules": rulesAnnotation(provenance) } : {}),
        },
      },
      spec: {
        ...(Object.keys(matchLabels).length > 0 ? { selector: { matchLabels } } : {}),
        action: "ALLOW",
        // Without rules nothing is allowed; an empty rule would allow everything.
        ...(rules.length > 0 ? { rules: rules.map(({ rule }) => rule) } : {}),
      },
    },
    comments,
  );
}

const CONDITIONS = [
  "Service accounts are known only over mTLS: set PeerAuthentication to STRICT, else plaintext clients are refused or, where addresses are named, not told apart.",
  "Judged at the server's proxy alone: what a pod sends is not limited, and a pod without a proxy is not protected.",
  "Source serviceAccounts need Istio 1.25 or newer.",
  "In ambient mode policies of waypoints need targetRefs, and dry runs need Istio 1.29 with AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY: older ztunnels enforce them.",
  "An enforced ALLOW policy that is already there allows on top of these; a dry run is judged by itself.",
];

const APPLY = `Review the files, then apply them:

    kubectl apply -k .

Audit files carry the annotation \`istio.io/dry-run\`: the proxies judge by them, log \`shadow denied\` and count
\`authz_dry_run_result\`, and let everything pass. Apply all files of a workload at once: the first one makes it refuse
whatever no policy allows.`;

const TAKE_BACK = `    kubectl delete -k .

Deleting the policies opens the workloads again at once. Nothing else in the cluster was changed.`;

/** Istio AuthorizationPolicies at the servers, enforced or as a dry run. */
export function renderIstio(policySet: PolicySet, inventory: Inventory, options: RenderOptions): Bundle {
  const { expressed, written, losses, selection } = expressForPods(policySet, inventory, options, TARGET);
  const conditions = CONDITIONS.map((text): Loss => ({ ruleId: "bundle", kind: "conditional", text }));
  const allLosses = sortLosses([...losses, ...conditions]);
  const pieces = podPoliciesOf(written, selection).flatMap((policy) => piecesOf(policy, selection));
  const files: BundleFile[] = [];
  for (const namespace of new Set(pieces.flatMap(({ policy }) => policy.namespace ?? []))) {
    const names = uniqueNames(
      pieces.filter(({ policy }) => policy.namespace === namespace),
      ({ policy }) => `portolan-${nameOfSelector(policy.selector)}`,
      ({ policy, number }) => `${selectorKey(policy.selector)} ${number}`,
    );
    for (const [piece, name] of names) {
      files.push({ path: `namespaces/${namespace}/${name}.yaml`, text: manifest(piece, name, policySet, options) });
    }
  }
  const readme = {
    title: "Istio authorization policies",
    policySet,
    mode: options.mode,
    apply: APPLY,
    takeBack: TAKE_BACK,
    losses: allLosses,
  };
  return manifestBundle(files, readme, expressed);
}
