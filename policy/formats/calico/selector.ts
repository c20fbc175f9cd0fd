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

/**
 * A query in Calico's language; label keys and values, which Kubernetes has checked, cannot hold a quote.
 * @throws {RangeError} If it is longer than Calico takes.
 */
export function selectorText(requirements: readonly LabelRequirement[]): string {
  const terms = (canonicalSelector({ requirements })?.requirements ?? []).map(term);
  const text = terms.length === 0 ? "all()" : terms.join(" && ");
  if (text.length > LONGEST) {
    throw new RangeError(
      `Cannot render selector "${text.slice(0, 60)}...": Calico takes at most ${LONGEST} characters`,
    );
  }
  return text;
}

/** A rule without a word on namespaces means the policy's own, so there is always one. */
export function namespaceSelectorText(namespaces: LabelSelector): string {
  return selectorText(
    namespaces.requirements.map((each) => (each.key === METADATA_NAME ? { ...each, key: NAME } : each)),
  );
}

/** Pod labels and service accounts, one selector for each namespace that accounts are in. */
export interface EntitySelector {
  readonly selector: string;
  readonly namespaceSelector: string;
}

export function entitySelectors(
  namespaces: LabelSelector,
  labels: LabelSelector,
  serviceAccounts: readonly string[],
): EntitySelector[] {
  if (serviceAccounts.length === 0) {
    return [{ selector: selectorText(labels.requirements), namespaceSelector: namespaceSelectorText(namespaces) }];
  }
  const groups = new Map<string, string[]>();
  for (const account of serviceAccounts) {
    const [namespace, name] = account.split("/") as [string, string];
    groups.set(namespace, [...(groups.get(namespace) ?? []), name]);
  }
  return [...groups].flatMap(([namespace, names]): EntitySelector[] => {
    const inside = [...namespaces.requirements, { key: METADATA_NAME, operator: "In" as const, values: [namespace] }];
    if (canonicalSelector({ requirements: inside }) === undefined) return [];
    const account: LabelRequirement = { key: SERVICE_ACCOUNT, operator: "In", values: names };
    return [
      {
        selector: selectorText([...labels.requirements, account]),
        namespaceSelector: namespaceSelectorText({ requirements: inside }),
      },
    ];
  });
}
