import type { LabelRequirement, LabelSelector } from "../../../model/label-selector.js";
import { canonicalSelector } from "../../selector-algebra.js";

const METADATA_NAME = "kubernetes.io/metadata.name";

/** Calico puts the name on every namespace, and its service account on every pod, under these labels. */
const NAME = "projectcalico.org/name";
const SERVICE_ACCOUNT = "projectcalico.org/serviceaccount";

const LONGEST = 1024;

function term(requirement: LabelRequirement): string {
  const { key } = requirement;
  switch (requirement.operator) {
    case "In": {
      const values = requirement.values.map((value) => `'${value}'`);
      return values.length === 1 ? `${key} == ${values[0]}` : `${key} in { ${values.join(", ")} }`;
    }
    case "NotIn": {
      const values = requirement.values.map((value) => `'${value}'`);
      return values.length === 1 ? `${key} != ${values[0]}` : `${key} not in { ${values.join(", ")} }`;
    }
    case "Exists":
      return `has(${key})`;
    case "DoesNotExist":
      return `!has(${key})`;
  }
}

/** A query in Calico's language; label keys and values, which Kubernetes has checked, cannot hold a quote. */
function textOf(requirements: readonly LabelRequirement[]): string {
  return requirements.length === 0 ? "all()" : requirements.map(term).join(" && ");
}

/**
 * Queries that together select what `requirements` do, none longer than Calico takes: a long list of values is divided.
 * @throws {RangeError} If there is no such list to divide.
 */
function selectorTexts(requirements: readonly LabelRequirement[]): string[] {
  const terms = canonicalSelector({ requirements })?.requirements ?? [];
  const text = textOf(terms);
  if (text.length <= LONGEST) return [text];
  const count = (each: LabelRequirement) => (each.operator === "In" ? each.values.length : 0);
  const longest = terms.reduce((a, b) => (count(b) > count(a) ? b : a));
  if (longest.operator !== "In" || longest.values.length < 2) {
    throw new RangeError(
      `Cannot render selector "${text.slice(0, 60)}...": Calico takes at most ${LONGEST} characters`,
    );
  }
  const half = longest.values.length >>> 1;
  return [longest.values.slice(0, half), longest.values.slice(half)].flatMap((values) =>
    selectorTexts(terms.map((each) => (each === longest ? { ...longest, values } : each))),
  );
}

/** A rule without a word on namespaces means the policy's own, so there is always one. */
function namespaceSelectorTexts({ requirements }: LabelSelector): string[] {
  return selectorTexts(requirements.map((each) => (each.key === METADATA_NAME ? { ...each, key: NAME } : each)));
}

/** Pod labels and service accounts in some namespaces. */
export interface EntitySelector {
  readonly selector: string;
  readonly namespaceSelector: string;
}

function entities(labels: readonly LabelRequirement[], namespaces: LabelSelector): EntitySelector[] {
  const selectors = selectorTexts(labels);
  return namespaceSelectorTexts(namespaces).flatMap((namespaceSelector) =>
    selectors.map((selector) => ({ selector, namespaceSelector })),
  );
}

/** Selectors that together mean these pods: one for each namespace that accounts are in, more where one would be too long. */
export function entitySelectors(
  namespaces: LabelSelector,
  labels: LabelSelector,
  serviceAccounts: readonly string[],
): EntitySelector[] {
  if (serviceAccounts.length === 0) return entities(labels.requirements, namespaces);
  const groups = new Map<string, string[]>();
  for (const account of serviceAccounts) {
    const [namespace, name] = account.split("/") as [string, string];
    groups.set(namespace, [...(groups.get(namespace) ?? []), name]);
  }
  return [...groups].flatMap(([namespace, names]): EntitySelector[] => {
    const inside = [...namespaces.requirements, { key: METADATA_NAME, operator: "In" as const, values: [namespace] }];
    if (canonicalSelector({ requirements: inside }) === undefined) return [];
    const account: LabelRequirement = { key: SERVICE_ACCOUNT, operator: "In", values: names };
    return entities([...labels.requirements, account], { requirements: inside });
  });
}
