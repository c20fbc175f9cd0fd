import type { Inventory } from "../../model/workload.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { type EnforcementSettings, enforcementSettingsSchema } from "../../policy/trust/enforcement-settings.js";
import { addSignature, renderEnvelope, sealDocument } from "../../policy/trust/envelope.js";
import { renderKeyring } from "../../policy/trust/keyring.js";
import { makePolicyOrder } from "../../policy/trust/policy-order.js";
import { DAY, keyringOf, person } from "../policy/trust/people.js";

const ALWAYS = { notBefore: "2020-01-01T00:00:00.000Z", notAfter: "2120-01-01T00:00:00.000Z" };
const release = await person("release", ["signer", "promoter"], ALWAYS);

export const KEYRING_TEXT = renderKeyring(keyringOf([release], false));

/** Passes through every state within seconds of the real clock. */
export const SWIFT = {
  warmUpMs: 300,
  auditMs: 600,
  quietMs: 300,
  trialMs: 1500,
  trialLeaseMs: 4000,
  leaseMs: 6000,
} satisfies Partial<EnforcementSettings>;

/** A policy signed now, for hosts that run in real time. */
export async function signNow(
  policy: PolicySet,
  inventory: Inventory,
  settings: Partial<EnforcementSettings> = SWIFT,
): Promise<string> {
  const now = Date.now();
  const order = makePolicyOrder(policy, inventory, {
    generation: policy.generation,
    mode: "deny",
    settings: enforcementSettingsSchema.parse(settings),
    notBeforeMs: now - DAY,
    expiresMs: now + DAY,
  });
  return renderEnvelope(await addSignature(sealDocument(order), "portolan-policy+jws", release.signing, "signer", now));
}
