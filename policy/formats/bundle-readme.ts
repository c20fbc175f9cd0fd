import type { Loss } from "../bundle.js";
import type { PolicyMode, PolicySet } from "../policy-set.js";
import { commentLine } from "./yaml-text.js";

export interface BundleReadme {
  readonly title: string;
  readonly policySet: PolicySet;
  readonly mode: PolicyMode;
  readonly apply: string; // Markdown
  readonly takeBack: string;
  readonly losses: readonly Loss[];
}

const MEANING = {
  widened: "The files allow more than the policy",
  dropped: "The files leave out",
  conditional: "Holds only if",
} as const;

/** Hostile text must not become Markdown: only a code span and plain words come out. */
function plain(text: string): string {
  return commentLine(text).replace(/[`<>[\]|\\]/g, "'");
}

/** How to apply a bundle, how to take it back, and what it does not say. */
export function renderBundleReadme(readme: BundleReadme): string {
  const { policySet, losses } = readme;
  const lines = [
    `# ${readme.title}`,
    "",
    `Policy set \`${policySet.name}\`, generation ${policySet.generation}, ${policySet.rules.length} rules, mode ${readme.mode}.`,
    "",
    "## Apply",
    "",
    readme.apply,
    "",
    "## Take back",
    "",
    readme.takeBack,
    "",
    "## What these files do not say",
    "",
  ];
  for (const kind of ["widened", "dropped", "conditional"] as const) {
    const ofKind = losses.filter((loss) => loss.kind === kind);
    if (ofKind.length === 0) continue;
    lines.push(`${MEANING[kind]}:`, "");
    for (const loss of ofKind) lines.push(`- \`${plain(loss.ruleId)}\`: ${plain(loss.text)}`);
    lines.push("");
  }
  if (losses.length === 0) lines.push("Nothing: they mean exactly what the policy says.", "");
  return lines.join("\n");
}
