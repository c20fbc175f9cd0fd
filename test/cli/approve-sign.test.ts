import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { SHOP } from "../policy/sample-policy.js";
import { portolan, signingWorkspace } from "./signing-workspace.js";

async function workspace(t: TestContext) {
  const made = await signingWorkspace(SHOP.policy, SHOP.inventory);
  t.after(made.remove);
  const { at } = made;
  const input = ["--policy", at("policy.json"), "--inventory", at("inventory.yaml")];
  const approve = (...args: string[]) => portolan("approve", ...args);
  const sign = (...args: string[]) =>
    portolan("sign", "--keyring", at("keyring.json"), "--key", at("release.key"), "--out", at("shop.signed"), ...args);
  return { ...made, input, approve, sign };
}

test("a policy that one wrote and another approved is signed, and every private key stays private", async (t) => {
  const { at, input, approve, sign } = await workspace(t);
  const first = approve(...input, "--generation", "7", "--mode", "deny", "--key", at("alice.key"), "--out", at("a"));
  assert.equal(first.status, 0, first.stderr);
  assert.match(
    first.stdout,
    /^vouched as author: policy "shop" generation 7, deny: 4 rules, 4 isolations, ruleset sha256:/,
  );
  const second = approve("--approval", at("a"), "--key", at("bob.key"));
  assert.equal(second.status, 0, second.stderr);
  const signed = sign("--approval", at("a"), "--json");
  assert.equal(signed.status, 0, signed.stderr);
  const { vouchings } = JSON.parse(signed.stdout) as { vouchings: { role: string; person: string }[] };
  assert.deepEqual(
    vouchings.map(({ role, person }) => `${role} ${person}`),
    ["author alice", "approver bob", "signer release"],
  );
  const people = ["--person", "carol", "--roles", "author", "--keyring", at("keyring.json"), "--out", at("carol.key")];
  const made = portolan("keygen", ...people);
  assert.equal(made.status, 0, made.stderr);
  assert.equal(statSync(at("carol.key")).mode & 0o777, 0o600);
  const { d } = JSON.parse(readFileSync(at("carol.key"), "utf8")) as { d: string };
  const { d: alices } = JSON.parse(readFileSync(at("alice.key"), "utf8")) as { d: string };
  for (const text of [
    made.stdout,
    first.stdout,
    first.stderr,
    readFileSync(at("keyring.json"), "utf8"),
    readFileSync(at("a"), "utf8"),
  ]) {
    assert.ok(!text.includes(d) && !text.includes(alices));
  }
});

test("what enforcers would refuse is not signed: one person, no approver, an edited approval", async (t) => {
  const { at, input, approve, sign } = await workspace(t);
  approve(...input, "--key", at("alice.key"), "--out", at("a"));
  const alone = sign("--approval", at("a"));
  assert.equal(alone.status, 2);
  assert.match(alone.stderr, /^Cannot accept policy: no approver vouches for it/);
  assert.equal(approve("--approval", at("a"), "--key", at("alice.key")).status, 0);
  assert.match(sign("--approval", at("a")).stderr, /^Cannot trust key ".*" of alice as approver: its roles are author/);
  const unapproved = sign(...input);
  assert.match(unapproved.stderr, /^Cannot accept policy: no author vouches for it/);
  const edited = readFileSync(at("a"), "utf8").replace('"payload":"H4sI', '"payload":"H4sJ');
  writeFileSync(at("a"), edited);
  assert.equal(approve("--approval", at("a"), "--key", at("bob.key")).status, 2);
});

test("a key that others may read is not used, and none is written over another", async (t) => {
  const { at, input, approve } = await workspace(t);
  chmodSync(at("alice.key"), 0o640);
  const open = approve(...input, "--key", at("alice.key"), "--out", at("a"));
  assert.equal(open.status, 3);
  assert.match(open.stderr, /others may read it \(mode 0640\), wanted 0600/);
  const again = portolan("keygen", "--person", "eve", "--roles", "signer", "--out", at("bob.key"));
  assert.equal(again.status, 2);
  assert.match(again.stderr, /it is there already, and a key is never overwritten/);
});

test("settings are read from YAML, and one that is unknown is refused by name", async (t) => {
  const { at, input, approve } = await workspace(t);
  writeFileSync(
    at("s.yaml"),
    "leaseMs: 60000\nonSilence: fail-static\nprobes:\n- { kind: tcp, address: 10.0.0.53, port: 53 }\n",
  );
  const good = approve(...input, "--settings", at("s.yaml"), "--key", at("alice.key"), "--out", at("a"));
  assert.equal(good.status, 0, good.stderr);
  writeFileSync(at("s.yaml"), "leaseMillis: 60000\n");
  const bad = approve(...input, "--settings", at("s.yaml"), "--key", at("alice.key"), "--out", at("a"));
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /s\.yaml: Cannot read settings: .*leaseMillis/);
});
