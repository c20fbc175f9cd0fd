import assert from "node:assert/strict";
import test from "node:test";
import { type KernelListing, readListing } from "../../enforcer/kernel-listing.js";
import { planLoad, reapText } from "../../enforcer/load-steps.js";
import { ownerOf, readRecord, recordText } from "../../enforcer/owner-record.js";
import { quarantineText } from "../../enforcer/quarantine-text.js";
import { parseNftText } from "../../policy/formats/nftables/parse-text.js";
import { HOST, scope, wanted } from "./sample-order.js";

/** What the kernel would list of a table with these chains and sets, and the comments of its owner chain. */
function listing(
  chains: readonly string[],
  sets: readonly string[],
  comments: readonly string[],
  isDormant = false,
): KernelListing {
  const found = readListing([
    { table: { family: "inet", name: "portolan", handle: 7, ...(isDormant ? { flags: ["dormant"] } : {}) } },
    ...[...chains, "owner"].map((name) => ({ chain: { name, handle: 1 } })),
    ...sets.map((name) => ({ set: { name, handle: 2 } })),
    ...comments.map((comment) => ({ rule: { chain: "owner", comment, expr: [{ accept: null }] } })),
  ]);
  assert.ok(found !== undefined);
  return found;
}

const commentsOf = (text: string) => [...text.matchAll(/comment "([^"]*)"/g)].map(([, comment]) => comment!);

function recorded(order: ReturnType<typeof wanted>, kernel: string): string[] {
  const scopes = order.scopes.map(({ ruleset, hash }) => ({
    scope: ruleset.policySet,
    generation: ruleset.generation,
    revision: 0,
    hash: hash.slice(0, 32),
  }));
  const record = { owner: ownerOf(HOST), wanted: order.hash, kernel, structure: order.structure, scopes };
  return commentsOf(recordText(record));
}

test("an owner record reads back, and one that is being made is told apart", () => {
  const order = wanted([scope("shop", 3), scope("other-2", 9)]);
  const reading = readRecord(listing([], [], recorded(order, "ab12")));
  assert.ok(reading.kind === "loaded");
  assert.deepEqual(
    reading.record.scopes.map(({ scope: name, generation }) => [name, generation]),
    [
      ["other-2", 9],
      ["shop", 3],
    ],
  );
  assert.equal(readRecord(listing([], [], [`portolan 1 ${ownerOf(HOST)}`, "loading"])).kind, "loading");
  assert.equal(readRecord(listing([], [], ["something else"])).kind, "none");
});

test("planLoad() wants nothing when the kernel holds what is wanted, and all of it when somebody changed the table", () => {
  const order = wanted([scope("shop", 3)]);
  const intact = listing(["in_shop_g3"], [], recorded(order, listing(["in_shop_g3"], [], []).hash()));
  assert.equal(planLoad(order, intact), undefined);
  const changed = listing(["in_shop_g3", "rogue"], [], recorded(order, listing(["in_shop_g3"], [], []).hash()));
  const plan = planLoad(order, changed);
  assert.deepEqual(
    plan?.scopes.map(({ revision }) => revision),
    [1],
    "what may be tampered with is built beside",
  );
  assert.match(plan?.build ?? "", /chain in_shop_g3_r1/);
  assert.match(plan?.flip ?? "", /chain input/);
});

test("planLoad() builds only the policy set that changed, and leaves what no generation changes", () => {
  const before = wanted([scope("shop", 3), scope("other", 1)]);
  const kernel = listing(["in_shop_g3", "in_other_g1"], [], []);
  const plan = planLoad(
    wanted([scope("shop", 4), scope("other", 1)]),
    listing(["in_shop_g3", "in_other_g1"], [], recorded(before, kernel.hash())),
  );
  assert.match(plan?.build ?? "", /in_shop_g4/);
  assert.doesNotMatch(plan?.build ?? "", /other_g1/);
  assert.doesNotMatch(plan?.flip ?? "", /chain input/);
  assert.match(
    plan?.flip ?? "",
    /add rule inet portolan dispatch_in jump in_other_g1\nadd rule inet portolan dispatch_in jump in_shop_g4/,
  );
});

test("planLoad() never wakes a table that is dormant", () => {
  const plan = planLoad(wanted([scope("shop", 1)]), listing([], [], [], true));
  for (const text of [plan?.build, plan?.flip]) {
    assert.doesNotMatch(text ?? "", /^add table inet portolan$/m);
    assert.match(text ?? "", /flags dormant;/);
  }
});

test("reapText() removes what no plan names, rules before what they name, and nothing else", () => {
  const order = wanted([scope("shop", 4)]);
  const kernel = listing(["in_shop_g3", "in_shop_g4", "input"], ["in4_ports_shop_g3", "lease_shop", "lease_gone"], []);
  const plan = planLoad(
    order,
    listing(["in_shop_g3", "input"], ["in4_ports_shop_g3", "lease_shop", "lease_gone"], []),
  )!;
  const lines = reapText(order, plan, kernel)
    .split("\n")
    .filter((line) => /^(delete|flush) /.test(line));
  assert.deepEqual(lines, [
    "flush chain inet portolan in_shop_g3",
    "delete chain inet portolan in_shop_g3",
    "delete set inet portolan in4_ports_shop_g3",
    "delete set inet portolan lease_gone",
    "flush chain inet portolan owner",
  ]);
});

test("what build and flip make together is what the parser reads: permits, a miss, and no drop without a lease", () => {
  const plan = planLoad(wanted([scope("shop", 1), scope("other", 1)]), undefined)!;
  const table = parseNftText(`${plan.build}${plan.flip}`);
  assert.ok([...plan.names].filter((name) => table.chains.has(name)).length === table.chains.size);
  assert.ok([...table.sets.keys()].every((name) => plan.names.has(name)));
  const drops = [...table.chains.values()].flatMap(({ name, rules }) =>
    rules.filter(({ verdict }) => verdict?.kind === "drop").map(({ matches }) => [name, matches] as const),
  );
  for (const [name, matches] of drops) {
    if (name === "refuse") continue;
    assert.ok(matches.some((match) => match.kind === "lookup" && match.set.startsWith("lease_") && !match.isNegated));
  }
  assert.equal(drops.length, 6);
});

test("a host id, however long or hostile, never stands in a ruleset", () => {
  assert.match(ownerOf('x" accept; flush ruleset; #'.repeat(40)), /^[0-9a-f]{32}$/);
});

test("quarantineText() takes addresses and numbers only", () => {
  const wish = { management: ["10.0.0.7/24"], controllers: [{ address: "fd00:0::1", port: 8443 }], lease: 1500.2 };
  const text = quarantineText(wish);
  assert.match(text, /ip saddr 10\.0\.0\.0\/24 tcp dport 22 accept/);
  assert.match(text, /ip6 daddr fd00::1 tcp dport 8443 accept/);
  assert.match(text, /timeout 1501ms/);
  assert.throws(() => quarantineText({ ...wish, management: ["0.0.0.0/0 accept; #"] }), SyntaxError);
  assert.throws(() => quarantineText({ ...wish, controllers: [{ address: "x", port: 1 }] }), SyntaxError);
});
