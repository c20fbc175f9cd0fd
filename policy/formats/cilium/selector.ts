import type { LabelRequirement, LabelSelector } from "../../../model/label-selector.js";
import { canonicalSelector } from "../../selector-algebra.js";
import type { YamlValue } from "../yaml-text.js";

const METADATA_NAME = "kubernetes.io/metadata.name";
const NAMESPACE = "k8s:io.kubernetes.pod.namespace";
const NAMESPACE_LABEL = "k8s:io.cilium.k8s.namespace.labels.";
const SERVICE_ACCOUNT = "k8s:io.cilium.k8s.policy.serviceaccount";

function endpointSelector(requirements: readonly LabelRequirement[]): YamlValue {
  const matchLabels: Record<string, string> = {};
  const matchExpressions: YamlValue[] = [];
  for (const requirement of canonicalSelector({ requirements })?.requirements ?? []) {
    if (requirement.operator === "In" && requirement.values.length === 1) {
      matchLabels[requirement.key] = requirement.values[0] as string;
    } else {
      const values = "values" in requirement ? { values: [...requirement.values] } : {};
      matchExpressions.push({ key: requirement.key, operator: requirement.operator, ...values });
    }
  }
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

const podRequirements = (labels: LabelSelector): LabelRequirement[] =>
  labels.requirements.map((requirement) => ({ ...requirement, key: `k8s:${requirement.key}` }));

/** Without a word on the namespace a selector means the policy's own, so there is always one. */
function namespaceRequirements(namespaces: LabelSelector): LabelRequirement[] {
  const named = namespaces.requirements.map(
    (requirement): LabelRequirement => ({
      ...requirement,
      key: requirement.key === METADATA_NAME ? NAMESPACE : `${NAMESPACE_LABEL}${requirement.key}`,
    }),
  );
  return [{ key: NAMESPACE, operator: "Exists" }, ...named];
}

/** Service accounts by namespace, each of which needs a selector of its own; one group without any when none is asked. */
function accountGroups(serviceAccounts: readonly string[]): LabelRequirement[][] {
  if (serviceAccounts.length === 0) return [[]];
  const groups = new Map<string, string[]>();
  for (const account of serviceAccounts) {
    const [namespace, name] = account.split("/") as [string, string];
    groups.set(namespace, [...(groups.get(namespace) ?? []), name]);
  }
  return [...groups].map(([namespace, names]) => [
    { key: NAMESPACE, operator: "In", values: [namespace] },
    { key: SERVICE_ACCOUNT, operator: "In", values: names },
  ]);
}

/** `endpointSelector`s of peers, in whatever namespace. */
export function peerSelectors(namespaces: LabelSelector, labels: LabelSelector, serviceAccounts: readonly string[]) {
  return accountGroups(serviceAccounts)
    .map((group) => [...namespaceRequirements(namespaces), ...podRequirements(labels), ...group])
    .filter((requirements) => canonicalSelector({ requirements }) !== undefined)
    .map(endpointSelector);
}

/** The `endpointSelector` of a policy: in one namespace the namespace goes without saying. */
export function subjectSelectors(
  namespaces: LabelSelector | undefined,
  labels: LabelSelector,
  serviceAccounts: readonly string[],
) {
  if (namespaces !== undefined) return peerSelectors(namespaces, labels, serviceAccounts);
  const names = serviceAccounts.map((account) => account.slice(account.indexOf("/") + 1));
  const account: LabelRequirement[] =
    names.length === 0 ? [] : [{ key: SERVICE_ACCOUNT, operator: "In", values: names }];
  return [endpointSelector([...podRequirements(labels), ...account])];
}
