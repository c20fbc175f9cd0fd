import { basename, dirname } from "node:path";
import { Command, Option } from "commander";
import { parse } from "yaml";
import type { PolicyMode } from "../policy/policy-set.js";
import { type EnforcementSettings, enforcementSettingsSchema } from "../policy/trust/enforcement-settings.js";
import {
  addSignature,
  type Envelope,
  parseEnvelope,
  renderEnvelope,
  sealDocument,
  unverifiedDocument,
} from "../policy/trust/envelope.js";
import type { Role } from "../policy/trust/keyring.js";
import {
  makePolicyOrder,
  modeOf,
  type PolicyOrder,
  parsePolicyOrder,
  renderedInventory,
} from "../policy/trust/policy-order.js";
import { EXIT, Failure } from "./failure.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import { readText } from "./read-text.js";
import { readSigned, readSigningKey } from "./trust-files.js";
import { wholeNumber } from "./whole-number.js";
import { writeFiles } from "./write-files.js";

interface ApproveOptions {
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

const DAY_MS = 24 * 3_600_000;

function readSettings(path: string | undefined): EnforcementSettings {
  let value: unknown = {};
  if (path !== undefined) {
    try {
      value = parse(readText("settings", path)) ?? {};
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new SyntaxError(`${path}: Cannot read settings: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  const parsed = enforcementSettingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new SyntaxError(`${path}: Cannot read settings: field "${issue.path.join(".")}": ${issue.message}`);
}

/** The order that the options describe, for its author to sign. */
export function orderOfOptions(options: Omit<ApproveOptions, "key" | "approval">, nowMs: number): PolicyOrder {
  if (options.policy === undefined || options.inventory === undefined) {
    throw new Failure("Cannot make an approval: wanted --policy and --inventory, or --approval", EXIT.input);
  }
  const reviewed = readPolicy(options.policy);
  return makePolicyOrder(reviewed, readInventory(options.inventory), {
    generation: options.generation ?? reviewed.generation,
    mode: options.mode,
    settings: readSettings(options.settings),
    notBeforeMs: nowMs,
    expiresMs: nowMs + options.validDays * DAY_MS,
  });
}

/** What somebody is about to vouch for, in one line. */
export function orderLine(order: PolicyOrder): string {
  const { policySet } = order;
  return `policy "${order.scope}" generation ${order.generation}, ${modeOf(policySet)}: ${policySet.rules.length} rules, ${policySet.isolations.length} isolations, ruleset ${order.rulesetHash.slice(0, 19)}, until ${order.expires}`;
}

/** Adds the options by which an order is made. */
export function withOrderOptions(command: Command): Command {
  return command
    .option("-p, --policy <file>", "policy.json, as reviewed")
    .option("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .option("-g, --generation <n>", "number of this generation (default: the policy's)", wholeNumber(1, 2 ** 48))
    .addOption(new Option("-m, --mode <mode>", "how far enforcers may go").choices(["audit", "deny"]).default("audit"))
    .option("--settings <file>", "lease, gates, probes and canaries, see docs/enforce.md (default: the careful ones)")
    .option("--valid-days <days>", "how long enforcers may take it", wholeNumber(1, 3660), 90);
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
    .action(async (options: ApproveOptions) => {
      const out = options.out ?? options.approval;
      if (out === undefined) throw new Failure("Cannot write the approval: wanted --out", EXIT.input);
      const nowMs = Date.now();
      let envelope: Envelope;
      let order: PolicyOrder;
      if (options.approval === undefined) {
        order = orderOfOptions(options, nowMs);
        envelope = sealDocument(order);
      } else {
        if (options.policy !== undefined) {
          throw new Failure("Cannot use --policy with --approval: the approval holds its policy", EXIT.input);
        }
        envelope = parseEnvelope(readSigned(options.approval));
        order = parsePolicyOrder(unverifiedDocument(envelope));
        renderedInventory(order);
      }
      const role = options.as ?? (options.approval === undefined ? "author" : "approver");
      const key = await readSigningKey(options.key);
      const signed = await addSignature(envelope, "portolan-policy+jws", key, role, nowMs);
      writeFiles(dirname(out), [{ path: basename(out), text: renderEnvelope(signed) }]);
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ scope: order.scope, generation: order.generation, mode: modeOf(order.policySet), rulesetHash: order.rulesetHash, role, key: key.id }, undefined, 2)}\n`
          : `vouched as ${role}: ${orderLine(order)}\n`,
      );
    });
}
