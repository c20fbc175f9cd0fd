import { parseProposal } from "../analyzer/proposal-file.js";
import type { PolicySet } from "../policy/policy-set.js";
import { readText } from "./read-text.js";

/**
 * The policy set in the policy.json that `path` names.
 * @throws {SyntaxError} One line: the file, the field that is wrong and what was wanted.
 */
export function readPolicy(path: string): PolicySet {
  const text = readText("policy", path);
  try {
    return parseProposal(text).policySet;
  } catch (error) {
    if (error instanceof SyntaxError) throw new SyntaxError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
