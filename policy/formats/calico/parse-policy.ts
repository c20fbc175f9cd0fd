import type { Direction } from "../../decision/program.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import type { CalicoPolicy, CalicoProfile, CalicoRule, CalicoTier, NetworkSet } from "./calico-policy.js";
import { parseNet, parseRule, parseSelectorNode } from "./parse-rule.js";

const ALL = { kind: "all" } as const;

export const API_VERSIONS = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];

/** The kinds that state policy, and those that policies are about. */
export const POLICY_KINDS = [
  "NetworkPolicy",
  "GlobalNetworkPolicy",
  "StagedNetworkPolicy",
  "StagedGlobalNetworkPolicy",
];

/** Tiers that Calico makes by itself. */
export const BUILT_IN_TIERS: readonly CalicoTier[] = [
  { name: "kube-admin", order: 1_000, defaultAction: "pass" },
  { name: "adminnetworkpolicy", order: 1_000, defaultAction: "pass" },
  { name: "default", order: 1_000_000, defaultAction: "deny" },
  { name: "kube-baseline", order: 10_000_000, defaultAction: "pass" },
  { name: "baselineadminnetworkpolicy", order: 10_000_000, defaultAction: "pass" },
];

const SPEC_FIELDS = ["tier", "order", "selector", "types", "ingress", "egress", "serviceAccountSelector"] as const;
const GLOBAL_FIELDS = ["namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward"] as const;

function specOf(object: ManifestObject): ManifestNode {
  const spec = object.node.get("spec");
  if (spec === undefined) throw object.node.error(`Cannot read ${formatObject(object)}: wanted spec`);
  return spec;
}

function parseOrder(node: ManifestNode | undefined): number {
  return node === undefined || node.isNull ? Number.POSITIVE_INFINITY : node.number();
}

function parseRules(node: ManifestNode | undefined, direction: Direction): CalicoRule[] {
  return (node?.items() ?? []).map((item, i) => parseRule(item, i, direction));
}

/** Without `types` Calico goes by which rules there are; with neither it means ingress. */
function parseDirections(
  types: ManifestNode | undefined,
  ingress: readonly CalicoRule[],
  egress: readonly CalicoRule[],
): Direction[] {
  const stated = types?.items().map((item) => item.choice(["Ingress", "Egress"])) ?? [];
  if (stated.length > 0) {
    return [...new Set(stated)].sort().map((type) => (type === "Ingress" ? "ingress" : "egress"));
  }
  if (egress.length === 0) return ["ingress"];
  return ingress.length === 0 ? ["egress"] : ["egress", "ingress"];
}

/** A Calico policy of one of `POLICY_KINDS`. */
export function parseCalicoPolicy(object: ManifestObject): CalicoPolicy {
  object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const isGlobal = object.kind.includes("Global");
  const isStaged = object.kind.startsWith("Staged");
  const fields: Partial<Readonly<Record<string, ManifestNode>>> = specOf(object).knownFields([
    ...SPEC_FIELDS,
    ...(isGlobal ? GLOBAL_FIELDS : []),
    ...(isStaged ? (["stagedAction"] as const) : []),
    "performanceHints",
  ]);
  const isSet = (name: string) => fields[name] !== undefined && !fields[name].isNull && fields[name].boolean();
  const ingress = parseRules(fields.ingress, "ingress");
  const egress = parseRules(fields.egress, "egress");
  return {
    kind: object.kind,
    namespace: isGlobal ? undefined : (object.namespace ?? "default"),
    name: object.name,
    isStaged,
    tier: fields.tier === undefined || fields.tier.isNull ? "default" : fields.tier.text() || "default",
    order: parseOrder(fields.order),
    selector: parseSelectorNode(fields.selector) ?? ALL,
    namespaceSelector: parseSelectorNode(fields.namespaceSelector),
    serviceAccountSelector: parseSelectorNode(fields.serviceAccountSelector),
    isForHostsOnly: isSet("doNotTrack") || isSet("preDNAT"),
    directions: parseDirections(fields.types, ingress, egress),
    ingress,
    egress,
  };
}

/** Whether a staged policy announces that its twin will go away; Calico does not act this out. */
export function isStagedDeletion(object: ManifestObject): boolean {
  const action = object.node.get("spec")?.get("stagedAction");
  return action?.isText === true && action.text() === "Delete";
}

export function parseTier(object: ManifestObject): CalicoTier {
  object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const { order, defaultAction } = object.node.get("spec")?.knownFields(["order", "defaultAction"]) ?? {};
  const isPass = defaultAction !== undefined && defaultAction.choice(["Deny", "Pass"]) === "Pass";
  return { name: object.name, order: parseOrder(order), defaultAction: isPass ? "pass" : "deny" };
}

export function parseProfile(object: ManifestObject): CalicoProfile {
  const fields = object.node.get("spec")?.knownFields(["ingress", "egress", "labelsToApply"]) ?? {};
  return {
    name: object.name,
    ingress: parseRules(fields.ingress, "ingress"),
    egress: parseRules(fields.egress, "egress"),
  };
}

export function parseNetworkSet(object: ManifestObject): NetworkSet {
  const { nets } = object.node.get("spec")?.knownFields(["nets"]) ?? {};
  const labels: Record<string, string> = {};
  for (const [key, value] of object.metadata.get("labels")?.fields() ?? []) labels[key] = value.text();
  return {
    namespace: object.kind === "GlobalNetworkSet" ? undefined : (object.namespace ?? "default"),
    name: object.name,
    labels,
    nets: nets?.items().map(parseNet) ?? [],
  };
}
