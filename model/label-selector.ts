/** Label keys and values; absent is not the same as empty. */
export type Labels = Readonly<Record<string, string>>;

/** One requirement on a label, in the meaning of Kubernetes `matchExpressions`. */
export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** A query over labels: all requirements must hold. No requirement at all matches every label set. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
}

export const EVERYTHING: LabelSelector = { requirements: [] };

/** The selector that wants each of `labels`, keys sorted. */
export function selectorOfLabels(labels: Labels): LabelSelector {
  const requirements = Object.keys(labels)
    .sort()
    .map((key): LabelRequirement => ({ key, operator: "In", values: [labels[key] as string] }));
  return { requirements };
}

/** `NotIn` also matches when the key is absent, as Kubernetes defines it. */
export function meetsRequirement(labels: Labels, requirement: LabelRequirement): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => meetsRequirement(labels, requirement));
}

/** One line in the notation of `kubectl -l`, e.g. `app=web,tier in (a,b),!canary`; `*` for everything. */
export function formatSelector(selector: LabelSelector): string {
  if (selector.requirements.length === 0) return "*";
  return selector.requirements
    .map((requirement) => {
      switch (requirement.operator) {
        case "In":
          return requirement.values.length === 1
            ? `${requirement.key}=${requirement.values[0]}`
            : `${requirement.key} in (${requirement.values.join(",")})`;
        case "NotIn":
          return requirement.values.length === 1
            ? `${requirement.key}!=${requirement.values[0]}`
            : `${requirement.key} notin (${requirement.values.join(",")})`;
        case "Exists":
          return requirement.key;
        case "DoesNotExist":
          return `!${requirement.key}`;
      }
    })
    .join(",");
}
