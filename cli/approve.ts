import { basename, dirname } from "node:path";
import { parse } from "yaml";
import { type EnforcementSettings, enforcementSettingsSchema } from "../policy/trust/enforcement-settings.js";
import {
  addSignature,
  type Envelope,
  parseEnvelope,
  renderEnvelope,
  sealDocument,
  unverifiedDocument,
} from "../policy/trust/envelope.js";
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
import type { ApproveOptions } from "./verbs/approve.js";
import { writeFiles } from "./write-files.js";

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

export async function approve(options: ApproveOptions): Promise<void> {
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
}
