import { z } from "zod";
import { parseInventory } from "../../model/inventory-file.js";
import type { Inventory } from "../../model/workload.js";
import { rulesetHash } from "../formats/nftables/ruleset-hash.js";
import type { PolicyMode, PolicySet } from "../policy-set.js";
import { policySetSchema } from "../policy-set-schema.js";
import { canonicalHash } from "./canonical-json.js";
import { type EnforcementSettings, enforcementSettingsSchema } from "./enforcement-settings.js";
import { inventorySnapshot } from "./inventory-snapshot.js";
import { TrustError } from "./trust-error.js";

export const POLICY_ORDER_VERSION = 1;

const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const policyOrderSchema = z.strictObject({
  version: z.literal(POLICY_ORDER_VERSION),
  scope: z.string().regex(/^[a-z0-9-]{1,63}$/),
  generation: z
    .number()
    .int()
    .min(1)
    .max(2 ** 48),
  policySet: policySetSchema,
  inventory: z.string(),
  rulesetHash: hash,
  reviewedHash: hash,
  settings: enforcementSettingsSchema,
  notBefore: z.iso.datetime(),
  expires: z.iso.datetime(),
});

/**
 * What is signed: a policy set, the part of the inventory it was approved with, and the hash of what both render to.
 * Evidence is left out of the set, because no kernel needs it; `reviewedHash` is that of the set with its evidence, as in
 * the policy.json that was reviewed.
 */
export type PolicyOrder = z.infer<typeof policyOrderSchema>;

export interface OrderOptions {
  readonly generation: number;
  /** How far enforcers may go: with `audit` no lease is ever granted. */
  readonly mode: PolicyMode;
  readonly settings: EnforcementSettings;
  readonly notBeforeMs: number;
  readonly expiresMs: number;
}

export function makePolicyOrder(reviewed: PolicySet, inventory: Inventory, options: OrderOptions): PolicyOrder {
  const policySet: PolicySet = {
    ...reviewed,
    generation: options.generation,
    rules: reviewed.rules.map(({ evidence: _, ...rule }) => rule),
    isolations: reviewed.isolations.map((isolation) => ({ ...isolation, mode: options.mode })),
  };
  const snapshot = inventorySnapshot(policySet, inventory);
  return {
    version: POLICY_ORDER_VERSION,
    scope: policySet.name,
    generation: options.generation,
    policySet,
    inventory: snapshot,
    rulesetHash: rulesetHash(policySet, parseInventory(snapshot)),
    reviewedHash: canonicalHash(reviewed),
    settings: options.settings,
    notBefore: new Date(options.notBeforeMs).toISOString(),
    expires: new Date(options.expiresMs).toISOString(),
  };
}

/** How far the order lets enforcers go: one isolation in audit mode keeps all of it there. */
export function modeOf(policySet: PolicySet): PolicyMode {
  return policySet.isolations.every((isolation) => isolation.mode === "deny") ? "deny" : "audit";
}

/**
 * Reads the document of an envelope and checks that it speaks of one scope and one generation.
 * @throws {TrustError} `bad-payload`.
 */
export function parsePolicyOrder(document: unknown): PolicyOrder {
  const parsed = policyOrderSchema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    throw bad(`field "${issue.path.join(".")}": ${issue.message.replaceAll("\n", " ")}`);
  }
  const { scope, generation, policySet } = parsed.data;
  if (policySet.name !== scope || policySet.generation !== generation) {
    throw bad(
      `it is for "${scope}" generation ${generation}, its policy set is "${policySet.name}" generation ${policySet.generation}`,
    );
  }
  return parsed.data;
}

/**
 * The inventory that the order was approved with, after making sure that our own renderer makes of both what was signed.
 * @throws {TrustError} `bad-payload` or `wrong-ruleset`.
 */
export function renderedInventory({ scope, generation, policySet, ...order }: PolicyOrder): Inventory {
  let inventory: Inventory;
  let rendered: string;
  try {
    inventory = parseInventory(order.inventory, "snapshot");
    rendered = rulesetHash(policySet, inventory);
  } catch (error) {
    throw bad(`it cannot be rendered: ${(error as Error).message.split("\n")[0]}`, error);
  }
  if (rendered !== order.rulesetHash) {
    throw new TrustError(
      "wrong-ruleset",
      `Cannot accept policy "${scope}" generation ${generation}: it renders to ${rendered} here, signed was ${order.rulesetHash}`,
    );
  }
  return inventory;
}

function bad(what: string, cause?: unknown): TrustError {
  return new TrustError("bad-payload", `Cannot read signed policy: ${what}`, { cause });
}
