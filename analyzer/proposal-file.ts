import { z } from "zod";
import type { Proposal } from "./proposal.js";
import { proposalSchema } from "./proposal-schema.js";

/** Text of policy.json: two-space JSON with a final newline. A proposal is sorted already, so equal ones give equal bytes. */
export function renderProposal(proposal: Proposal): string {
  return `${JSON.stringify(proposal, null, 2)}\n`;
}

/** `policySet.rules[3].client.kind` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`))
    .join("");
}

/**
 * Reads what `renderProposal` wrote; a field that is missing, unknown or of the wrong kind is refused by name.
 * @throws {SyntaxError} One line: the first field that is wrong and what was wanted.
 */
export function parseProposal(text: string): Proposal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read policy: it is not JSON (${(cause as Error).message})`, { cause });
  }
  const result = proposalSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const where = issue.path.length === 0 ? "the document" : `field "${pathText(issue.path)}"`;
  throw new SyntaxError(`Cannot read policy: ${where}: ${issue.message.replaceAll("\n", " ")}`);
}

/** JSON Schema (draft 2020-12) of policy.json, as published under docs/schemas. */
export function proposalJsonSchema(): object {
  return {
    ...z.toJSONSchema(proposalSchema, { target: "draft-2020-12" }),
    title: "Portolan policy.json",
    description: "What discovery proposes for review, version 1. Times are microseconds since the Unix epoch.",
  };
}
