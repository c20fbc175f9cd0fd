import { claimedSignatures, parseEnvelope, unverifiedDocument } from "../policy/trust/envelope.js";
import { modeOf, parsePolicyOrder } from "../policy/trust/policy-order.js";
import { verifyPolicy } from "../policy/trust/verify-policy.js";
import type { Carrier } from "../stream/carrier.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import { readLatest } from "../stream/read-latest.js";
import { orderLine } from "./approve.js";
import { EXIT, Failure } from "./failure.js";
import { type KafkaOptions, kafkaSettings } from "./kafka-option.js";
import { readKeyring, readSigned } from "./trust-files.js";
import type { PoliciesOptions } from "./verbs/policies.js";

/** Header `schema` of a signed policy's message. */
const SIGNED_POLICY_SCHEMA = "portolan.signed-policy/1";

async function withCarrier<T>(options: KafkaOptions, work: (carrier: Carrier) => Promise<T>): Promise<T> {
  const settings = kafkaSettings("policies", options);
  if (settings === undefined) throw new Failure("Cannot reach enforcers: wanted --kafka HOST:PORT", EXIT.input);
  const carrier = await kafkaCarrier(settings);
  try {
    return await work(carrier);
  } finally {
    await carrier.close();
  }
}

export async function publishPolicy(path: string, options: PoliciesOptions): Promise<void> {
  const bytes = readSigned(path);
  const order =
    options.keyring === undefined
      ? parsePolicyOrder(unverifiedDocument(parseEnvelope(bytes)))
      : (await verifyPolicy(bytes, { keyring: await readKeyring(options.keyring), nowMs: Date.now() })).order;
  await withCarrier(options, (carrier) =>
    carrier.send("portolan.policies", { key: order.scope, value: bytes, headers: { schema: SIGNED_POLICY_SCHEMA } }),
  );
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ scope: order.scope, generation: order.generation })}\n`
      : `published: ${orderLine(order)}\n`,
  );
}

interface Listed {
  readonly key: string;
  readonly text: string;
  readonly generation?: number;
  readonly mode?: string;
  readonly signatures?: readonly object[];
}

/** What a message on the topic says of itself; whether it is to be trusted only where a keyring is given. */
async function listed(key: string, value: Uint8Array, keyringPath: string | undefined): Promise<Listed> {
  try {
    const envelope = parseEnvelope(value);
    const order = parsePolicyOrder(unverifiedDocument(envelope));
    const { generation, policySet } = order;
    const about = { key, generation, mode: modeOf(policySet), signatures: claimedSignatures(envelope) };
    if (keyringPath === undefined) return { ...about, text: `${orderLine(order)} (signatures not checked)` };
    const { vouchings } = await verifyPolicy(value, {
      keyring: await readKeyring(keyringPath),
      nowMs: Date.now(),
      scope: key,
    });
    const people = vouchings.map(({ role, person }) => `${role} ${person}`).join(", ");
    return { ...about, text: `${orderLine(order)} (${people})` };
  } catch (error) {
    return { key, text: `${JSON.stringify(key)}: ${(error as Error).message}` };
  }
}

export async function listPolicies(options: PoliciesOptions): Promise<void> {
  const latest = await withCarrier(options, (carrier) => readLatest(carrier, "portolan.policies"));
  const policies = [...latest].filter(([key]) => !key.includes("/")).sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = await Promise.all(policies.map(([key, { value }]) => listed(key, value, options.keyring)));
  if (options.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else
    process.stdout.write(
      rows.length === 0 ? "no policy is published\n" : `${rows.map(({ text }) => text).join("\n")}\n`,
    );
}
