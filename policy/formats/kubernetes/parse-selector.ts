import type { LabelRequirement, LabelSelector } from "../../../model/label-selector.js";
import type { ManifestNode } from "../manifest/manifest-node.js";

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The rules of the API server: a name of at most 63 characters, after an optional DNS prefix and a slash. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  return NAME.test(key.slice(slash + 1)) && (slash < 0 || PREFIX.test(key.slice(0, slash)));
}

export function isLabelValue(value: string): boolean {
  return value === "" || NAME.test(value);
}

function labelKey(node: ManifestNode, key: string): string {
  if (!isLabelKey(key))
    throw node.keyError(`Cannot read label key "${key}": wanted a name such as app or example.com/app`);
  return key;
}

function labelValue(node: ManifestNode): string {
  const value = node.text();
  if (!isLabelValue(value)) {
    throw node.error(`Cannot read label value "${value}": wanted at most 63 letters, digits, "-", "_" or "."`);
  }
  return value;
}

function parseExpression(node: ManifestNode): LabelRequirement {
  const { key, operator, values } = node.knownFields(["key", "operator", "values"]);
  if (key === undefined || operator === undefined)
    throw node.error(`Cannot read ${node.field}: wanted key and operator`);
  const name = labelKey(key, key.text());
  const kind = operator.choice(["In", "NotIn", "Exists", "DoesNotExist"]);
  const listed = values?.items().map(labelValue) ?? [];
  if (kind === "In" || kind === "NotIn") {
    if (listed.length === 0) throw node.error(`Cannot read ${node.field}: wanted values for ${kind}`);
    return { key: name, operator: kind, values: [...new Set(listed)].sort() };
  }
  if (listed.length > 0) throw node.error(`Cannot read ${node.field}: wanted no values for ${kind}`);
  return { key: name, operator: kind };
}

/** A `LabelSelector`; empty selects everything. */
export function parseLabelSelector(node: ManifestNode): LabelSelector {
  const { matchLabels, matchExpressions } = node.knownFields(["matchLabels", "matchExpressions"]);
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of matchLabels?.fields() ?? []) {
    requirements.push({ key: labelKey(value, key), operator: "In", values: [labelValue(value)] });
  }
  requirements.push(...(matchExpressions?.items().map(parseExpression) ?? []));
  return { requirements };
}
