import type { Loss } from "../policy/bundle.js";

/** A loss report as lines of text, the gravest first. */
export function lossLines(losses: readonly Loss[]): string[] {
  return losses.map(({ kind, ruleId, text }) => `  ${kind.padEnd(11)} ${ruleId}: ${text}`);
}
