import type { Position } from "../formats/manifest/manifest-error.js";

/** What lint looks for, with the sentence that explains it and how much it matters. */
export const LINT_RULES = {
  "dead-subject": { level: "warning", about: "a policy or rule governs no workload" },
  "dead-peer": { level: "warning", about: "a rule names peers of which there are none" },
  "dead-port": { level: "warning", about: "a rule names a port that no server of its has" },
  "no-effect": { level: "warning", about: "leaving the rule out would change no verdict" },
  "other-end-denies": { level: "warning", about: "a rule allows what the other end always denies" },
  "accidental-isolation": { level: "warning", about: "a policy isolates a direction of which it does not speak" },
  "ignored-rules": { level: "error", about: "a policy has rules for a direction that it does not isolate" },
  "broad-rule": { level: "note", about: "a rule allows far more than the rules beside it" },
  "unseen-rule": { level: "note", about: "a rule allows nothing that was seen" },
  "wider-than-seen": { level: "note", about: "a rule allows far more than was seen" },
  unprotected: { level: "note", about: "nothing isolates a workload" },
} as const;

export type LintRule = keyof typeof LINT_RULES;

export interface Finding {
  readonly rule: LintRule;
  readonly text: string; // one sentence that names what is meant
  readonly position?: Position; // of the policy; absent where no file is to blame
}

function placeOf({ position }: Finding): string {
  if (position === undefined) return "~"; // after all files
  const pad = (n: number) => String(n).padStart(7, "0");
  return `${position.path}:${pad(position.line)}:${pad(position.column)}`;
}

/** By file and line, then by rule and text; each only once. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const keyed = new Map(findings.map((finding) => [`${placeOf(finding)} ${finding.rule} ${finding.text}`, finding]));
  return [...keyed].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, finding]) => finding);
}
