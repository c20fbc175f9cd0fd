import assert from "node:assert/strict";
import test from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { AcceptedPolicies } from "../../../policy/trust/accepted-policies.js";
import { canonicalJson } from "../../../policy/trust/canonical-json.js";
import { DEFAULT_SETTINGS } from "../../../policy/trust/enforcement-settings.js";
import { addSignature, type Envelope, MAX_ENVELOPE_BYTES } from "../../../policy/trust/envelope.js";
import type { TrustedKey } from "../../../policy/trust/keyring.js";
import { makePolicyOrder, type PolicyOrder } from "../../../policy/trust/policy-order.js";
import type { TrustCode } from "../../../policy/trust/trust-error.js";
import { SHOP } from "../sample-policy.js";
import { bytesOf, DAY, keyringOf, NOW, type Person, person, type Signature, signed } from "./people.js";

const alice = await person("alice@example.com", ["author"]);
const bob = await person("bob@example.com", ["approver"]);
const release = await person("release", ["signer"]);
const aliceToo = await person("alice@example.com", ["approver"]);
const mallory = await person("mallory", ["author", "approver", "signer"]);
const carol = await person("carol", ["signer"], { revoked: { at: "2026-05-01T00:00:00Z", reason: "laptop stolen" } });
const old = await person("old", ["signer"], { notAfter: "2026-02-01T00:00:00.000Z" });
const payments = await person("payments", ["signer"], { scopes: ["payments"] });
const everybody = [alice, bob, release, aliceToo, carol, old, payments];
const KEYRING = keyringOf(everybody);
const ALL: readonly Signature[] = [
  [alice, "author"],
  [bob, "approver"],
  [release, "signer"],
];

function order(generation: number, more: Partial<PolicyOrder> = {}): PolicyOrder {
  const made = makePolicyOrder(SHOP.policy, SHOP.inventory, {
    generation,
    mode: "deny",
    settings: DEFAULT_SETTINGS,
    notBeforeMs: NOW - DAY,
    expiresMs: NOW + 30 * DAY,
  });
  return { ...made, ...more };
}

const GOOD = await signed(order(7), ALL);
const NEXT = await signed(order(8), ALL);

/** The envelope with its payload replaced by the packed text, signatures left as they are. */
const repacked = (envelope: Envelope, text: string): Envelope => ({
  ...envelope,
  payload: gzipSync(text).toString("base64url"),
});

/** Text packed as it is and signed by everybody: forgers may hold all keys but cannot spell as they like. */
async function signedText(text: string, by = ALL): Promise<Envelope> {
  let envelope: Envelope = { payload: gzipSync(text).toString("base64url"), signatures: [] };
  for (const [who, role] of by) envelope = await addSignature(envelope, "portolan-policy+jws", who.signing, role, NOW);
  return envelope;
}

const textOf = (envelope: Envelope) => gunzipSync(Buffer.from(envelope.payload, "base64url")).toString("utf8");
const flipped = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
const protect = (header: object) => Buffer.from(JSON.stringify(header)).toString("base64url");
const HEADER = {
  alg: "EdDSA",
  typ: "portolan-policy+jws",
  kid: release.trusted.id,
  role: "signer",
  at: new Date(NOW).toISOString(),
};

function withHeader(envelope: Envelope, header: object, signature = envelope.signatures[2]!.signature): Envelope {
  return { ...envelope, signatures: [...envelope.signatures.slice(0, 2), { protected: protect(header), signature }] };
}

/** Mallory's key under the name of a key that is trusted. */
async function underTheNameOf(victim: Person): Promise<Envelope> {
  const envelope = await signed(order(8), ALL.slice(0, 2));
  const signing = { ...mallory.signing, id: victim.trusted.id };
  return addSignature(envelope, "portolan-policy+jws", signing, "signer", NOW);
}

const text = (value: object) => Buffer.from(JSON.stringify(value));
const OTHER_SCOPE = order(8, { scope: "payments", policySet: { ...order(8).policySet, name: "payments" } });
const WIDER = order(8).policySet.rules.map((rule) => ({ ...rule, client: { kind: "any" } as const }));

const FORGERIES: readonly [string, TrustCode, () => Promise<Uint8Array> | Uint8Array][] = [
  ["no signature", "not-signed", async () => bytesOf({ ...NEXT, signatures: [] })],
  ["no signer among the signatures", "not-signed", async () => bytesOf(await signed(order(8), ALL.slice(0, 2)))],
  ["a flipped byte in the payload", "bad-signature", () => bytesOf({ ...NEXT, payload: flipped(NEXT.payload, 200) })],
  [
    "a flipped byte in a signature",
    "bad-signature",
    () =>
      bytesOf({
        ...NEXT,
        signatures: NEXT.signatures.map((each, i) =>
          i === 1 ? { ...each, signature: flipped(each.signature, 10) } : each,
        ),
      }),
  ],
  [
    "a rule widened after signing",
    "bad-signature",
    () => bytesOf(repacked(NEXT, textOf(NEXT).replaceAll("5432", "5433"))),
  ],
  ["signatures of another generation", "bad-signature", () => bytesOf({ ...NEXT, signatures: GOOD.signatures })],
  [
    "a key nobody trusts",
    "unknown-key",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [mallory, "signer"]])),
  ],
  ["another key under a trusted key's id", "bad-signature", async () => bytesOf(await underTheNameOf(release))],
  [
    "a revoked key",
    "revoked-key",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [carol, "signer"]])),
  ],
  [
    "a revoked key that claims to have signed before",
    "revoked-key",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [carol, "signer"]], NOW - 90 * DAY)),
  ],
  [
    "a key past its time",
    "key-not-valid",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [old, "signer"]], NOW - 150 * DAY)),
  ],
  [
    "a key in a role it does not have",
    "wrong-role",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [alice, "signer"]])),
  ],
  [
    "an author's signature relabelled as the signer's",
    "bad-signature",
    () => bytesOf(withHeader(NEXT, HEADER, NEXT.signatures[0]!.signature)),
  ],
  ["algorithm none", "wrong-algorithm", () => bytesOf(withHeader(NEXT, { ...HEADER, alg: "none" }, ""))],
  [
    "algorithm HS256 with the public key as secret",
    "wrong-algorithm",
    () => bytesOf(withHeader(NEXT, { ...HEADER, alg: "HS256" })),
  ],
  [
    "a header that is critical to somebody else",
    "not-an-envelope",
    () => bytesOf(withHeader(NEXT, { ...HEADER, crit: ["b64"], b64: false })),
  ],
  [
    "a signature over another kind of document",
    "not-an-envelope",
    () => bytesOf(withHeader(NEXT, { ...HEADER, typ: "portolan-stage+jws" })),
  ],
  [
    "an unprotected header",
    "not-an-envelope",
    () => text({ ...NEXT, signatures: NEXT.signatures.map((each) => ({ ...each, header: { alg: "none" } })) }),
  ],
  ["an older generation", "replayed", async () => bytesOf(await signed(order(6), ALL))],
  [
    "the same generation with other content",
    "generation-reused",
    async () => bytesOf(await signed(order(7, { expires: new Date(NOW + DAY).toISOString() }), ALL)),
  ],
  [
    "a policy past its time",
    "expired",
    async () => bytesOf(await signed(order(8, { expires: new Date(NOW - 1).toISOString() }), ALL)),
  ],
  [
    "a policy before its time",
    "not-yet-valid",
    async () => bytesOf(await signed(order(8, { notBefore: new Date(NOW + DAY).toISOString() }), ALL)),
  ],
  ["a scope that this host does not take", "wrong-scope", async () => bytesOf(await signed(OTHER_SCOPE, ALL))],
  [
    "a key of another scope",
    "wrong-scope",
    async () => bytesOf(await signed(order(8), [...ALL.slice(0, 2), [payments, "signer"]])),
  ],
  ["two scopes in one order", "bad-payload", async () => bytesOf(await signed(order(8, { scope: "payments" }), ALL))],
  ["two generations in one order", "bad-payload", async () => bytesOf(await signed(order(8, { generation: 9 }), ALL))],
  [
    "the hash of another ruleset",
    "wrong-ruleset",
    async () => bytesOf(await signed(order(8, { rulesetHash: `sha256:${"0".repeat(64)}` }), ALL)),
  ],
  [
    "wider rules under the hash of the reviewed ones",
    "wrong-ruleset",
    async () => bytesOf(await signed(order(8, { policySet: { ...order(8).policySet, rules: WIDER } }), ALL)),
  ],
  [
    "an inventory that gives a host other addresses",
    "wrong-ruleset",
    async () =>
      bytesOf(await signed(order(8, { inventory: order(8).inventory.replace("10.0.1.30", "10.0.1.31") }), ALL)),
  ],
  [
    "author and approver in one person",
    "same-person",
    async () => bytesOf(await signed(order(8), [ALL[0]!, [aliceToo, "approver"], ALL[2]!])),
  ],
  ["no approver", "not-approved", async () => bytesOf(await signed(order(8), [ALL[0]!, ALL[2]!]))],
  [
    "an unknown field in the order",
    "bad-payload",
    async () => bytesOf(await signed({ ...order(8), allowAll: true }, ALL)),
  ],
  [
    "a member twice in the order",
    "not-canonical",
    async () =>
      bytesOf(
        await signedText(
          canonicalJson(order(8)).replace('{"expires"', '{"expires":"2020-01-01T00:00:00.000Z","expires"'),
        ),
      ),
  ],
  [
    "a member twice in the envelope",
    "not-canonical",
    () => Buffer.from(bytesOf(NEXT).toString().replace('{"payload"', `{"payload":"${GOOD.payload}","payload"`)),
  ],
  [
    "an order nested without end",
    "bad-payload",
    async () => bytesOf(await signedText(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)),
  ],
  [
    "an order that unpacks to too much",
    "too-large",
    async () => bytesOf(await signedText(" ".repeat(65 * 1024 * 1024))),
  ],
  [
    "a payload that is no gzip",
    "bad-payload",
    async () =>
      bytesOf(
        await addSignature({ payload: "AAAA", signatures: [] }, "portolan-policy+jws", release.signing, "signer", NOW),
      ),
  ],
  ["an envelope too large to parse", "too-large", () => Buffer.alloc(MAX_ENVELOPE_BYTES + 1, "[")],
  ["an envelope cut short", "not-an-envelope", () => bytesOf(NEXT).subarray(0, -40)],
  ["nothing", "not-an-envelope", () => new Uint8Array()],
  ["bytes that are no text", "not-an-envelope", () => Uint8Array.from([0xff, 0xfe, 0x00])],
  [
    "a hundred signatures",
    "not-an-envelope",
    () => text({ ...NEXT, signatures: Array.from({ length: 100 }, () => NEXT.signatures[2]) }),
  ],
];

for (const [name, code, forge] of FORGERIES) {
  test(`${name} is refused as ${code}, and the last good policy stays in force`, async () => {
    const policies = new AcceptedPolicies(KEYRING, ["shop"], new Map());
    assert.equal((await policies.offer(bytesOf(GOOD), NOW, "shop")).kind, "accepted");
    const answer = await policies.offer(await forge(), NOW);
    assert.equal(answer.kind, "refused");
    if (answer.kind !== "refused") return;
    assert.equal(answer.error.code, code, answer.error.message);
    assert.ok(answer.error.message.length < 400 && !answer.error.message.includes("\n"), answer.error.message);
    assert.equal(policies.current("shop")?.order.generation, 7);
    assert.equal(
      (await policies.offer(bytesOf(NEXT), NOW, "shop")).kind,
      "accepted",
      "the next good one is still taken",
    );
    assert.equal(policies.current("shop")?.order.generation, 8);
  });
}

test("a policy that comes again is known, and one delivered under another scope's key is refused", async () => {
  const policies = new AcceptedPolicies(KEYRING, undefined, new Map());
  await policies.offer(bytesOf(GOOD), NOW, "shop");
  assert.equal((await policies.offer(bytesOf(GOOD), NOW, "shop")).kind, "known");
  const misplaced = await policies.offer(bytesOf(NEXT), NOW, "payments");
  assert.ok(misplaced.kind === "refused" && misplaced.error.code === "wrong-scope");
});

test("an older generation stays refused after a restart that remembers the newest", async () => {
  const before = new AcceptedPolicies(KEYRING, undefined, new Map());
  await before.offer(bytesOf(NEXT), NOW);
  const after = new AcceptedPolicies(KEYRING, undefined, before.reached());
  const replayed = await after.offer(bytesOf(GOOD), NOW);
  assert.ok(replayed.kind === "refused" && replayed.error.code === "replayed");
  assert.equal((await after.offer(bytesOf(NEXT), NOW)).kind, "accepted");
});

test("keys are rotated by an overlap, and revoking one refuses what it signed from then on", async () => {
  const next = await person("release", ["signer"]);
  const byNext = bytesOf(await signed(order(8), [...ALL.slice(0, 2), [next, "signer"]]));
  const both = new AcceptedPolicies(keyringOf([...everybody, next]), undefined, new Map());
  assert.equal((await both.offer(bytesOf(GOOD), NOW)).kind, "accepted");
  assert.equal((await both.offer(byNext, NOW)).kind, "accepted");
  const revoked: TrustedKey = { ...release.trusted, revoked: { at: "2026-06-01T00:00:00Z", reason: "rotated" } };
  const after = new AcceptedPolicies(
    keyringOf([alice, bob, next, { ...release, trusted: revoked }]),
    undefined,
    new Map(),
  );
  const answer = await after.offer(bytesOf(GOOD), NOW);
  assert.ok(answer.kind === "refused" && answer.error.code === "revoked-key");
  assert.equal((await after.offer(byNext, NOW)).kind, "accepted");
});

test("without the four-eyes rule a signer alone releases a policy, and what author and approver said still must hold", async () => {
  const policies = new AcceptedPolicies(keyringOf(everybody, false), undefined, new Map());
  assert.equal((await policies.offer(bytesOf(await signed(order(7), [[release, "signer"]])), NOW)).kind, "accepted");
  const spoilt = await policies.offer(
    bytesOf(
      await signed(order(8), [
        [mallory, "author"],
        [release, "signer"],
      ]),
    ),
    NOW,
  );
  assert.ok(spoilt.kind === "refused" && spoilt.error.code === "unknown-key");
});

test("the ruleset hash does not depend on workloads that the policy does not speak of", () => {
  const more = {
    ...SHOP.inventory,
    workloads: [
      ...SHOP.inventory.workloads,
      {
        ...SHOP.inventory.workloads[0]!,
        id: "other/x",
        namespace: "other",
        name: "x",
        labels: {},
        addresses: [{ address: "10.5.5.5" }],
      },
    ],
  };
  const options = {
    generation: 7,
    mode: "deny",
    settings: DEFAULT_SETTINGS,
    notBeforeMs: NOW,
    expiresMs: NOW + DAY,
  } as const;
  const [narrow, wide] = [SHOP.inventory, more].map((inventory) => makePolicyOrder(SHOP.policy, inventory, options));
  assert.equal(wide?.rulesetHash, narrow?.rulesetHash);
  assert.doesNotMatch(wide?.inventory ?? "", /10\.5\.5\.5/);
});
