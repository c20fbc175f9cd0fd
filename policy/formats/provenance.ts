import { formatTimeUs } from "../../model/time-window.js";
import type { AllowRule } from "../allow-rule.js";
import { commentLine } from "./yaml-text.js";

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Why a rule is there, in the lines that stand above it. */
export function ruleComment(rule: AllowRule): string {
  const lines = [`${rule.id}: ${commentLine(rule.reason)}`];
  const { evidence } = rule;
  if (evidence !== undefined) {
    const span = `${formatTimeUs(evidence.firstSeenUs)} to ${formatTimeUs(evidence.lastSeenUs)}`;
    lines.push(`seen in ${counted(evidence.flows, "flow")} and ${counted(evidence.windows, "hour")}, ${span}`);
  }
  for (const widening of rule.widenings) {
    if (widening.kind !== "lifeline") lines.push(`wider than seen: ${commentLine(widening.text)}`);
  }
  return lines.join("\n");
}

/** `id: reason`, one rule a line, each once, by id. */
export function rulesAnnotation(rules: readonly AllowRule[]): string {
  const lines = new Map(rules.map((rule) => [rule.id, `${rule.id}: ${commentLine(rule.reason)}`]));
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, line]) => line)
    .join("\n");
}
