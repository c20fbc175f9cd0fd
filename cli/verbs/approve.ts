import { Command, Option } from "commander";
import type { PolicyMode } from "../../policy/policy-set.js";
import type { Role } from "../../policy/trust/roles.js";
import { withOrderOptions } from "../order-option.js";

export interface ApproveOptions {
  readonly policy?: string;
  readonly inventory?: string;
  readonly approval?: string;
  readonly generation?: number;
  readonly mode: PolicyMode;
  readonly settings?: string;
  readonly validDays: number;
  readonly key: string;
  readonly as?: Role;
  readonly out?: string;
  readonly json?: true;
}

export function approveCommand(): Command {
  return withOrderOptions(new Command("approve").description("vouch for a policy, as its author or its approver"))
    .option("-a, --approval <file>", "what another person has vouched for already")
    .requiredOption("-k, --key <file>", "your private key")
    .addOption(
      new Option("--as <role>", "what you vouch as (default: approver of --approval, else author)").choices([
        "author",
        "approver",
      ]),
    )
    .option("-o, --out <file>", "where the approval goes (default: back into --approval)")
    .option("--json", "print what is vouched for as JSON")
    .addHelpText(
      "after",
      `
The author's call makes the approval: policy, generation, the inventory it speaks of, and the hash of the rendered ruleset. The
approver's call renders it again, refuses what does not fit, and adds a signature. Enforcers take it after portolan sign.

Example:
  portolan approve --policy policy.json --inventory inventory.yaml --generation 7 --mode deny --key alice.key --out shop.approval
  portolan approve --approval shop.approval --key bob.key`,
    )
    .action(async (options: ApproveOptions) => (await import("../approve.js")).approve(options));
}
