import assert from "node:assert/strict";
import test from "node:test";
import { wantedTable } from "../../enforcer/wanted-table.js";
import { flipText, generationText, structureText } from "../../policy/formats/nftables/ruleset-text.js";
import { inventoryOf, peer, pods, policySet, ports, rule, workload } from "../policy/sample-policy.js";
import { HOST, INVENTORY, scope, wanted } from "./sample-order.js";

test("equal orders have equal hashes, whatever stands first; another address or another rule has another", () => {
  const [one, two] = [scope("a", 1), scope("b", 2)];
  assert.equal(wanted([one, two]).hash, wanted([two, one]).hash);
  const moved = inventoryOf([...INVENTORY.workloads, workload("lab/more", { app: "good" }, ["10.88.0.9"])]);
  assert.notEqual(wanted([one]).hash, wanted([one], moved).hash);
  assert.notEqual(wanted([one]).hash, wanted([scope("a", 2)]).hash);
});

test("a host holds only what it needs: its own permits, and policy sets that isolate it", () => {
  const elsewhere = policySet(
    [rule("r1", { kind: "any" }, peer("lab", { app: "evil" }), [ports("tcp", 1)])],
    [{ selector: pods("lab", { app: "evil" }), direction: "ingress", mode: "deny" }],
  );
  const { plan } = wanted([scope("mine", 1), elsewhere]);
  assert.deepEqual(
    plan.scopes.map(({ policySet: name }) => name),
    ["mine"],
  );
  assert.doesNotMatch(generationText(plan.scopes[0]!), /10\.88\.0\.66/);
});

test("who is behind a host is judged in what it forwards, exactly by address, and nobody else there", () => {
  const inventory = inventoryOf([
    workload(HOST, { app: "host" }, ["10.88.0.1"]),
    { ...workload("lab/pod", { app: "pod" }, ["10.89.0.11"]), host: HOST },
    { ...workload("lab/other", { app: "other" }, ["10.89.0.12"]), host: HOST },
  ]);
  const policy = policySet(
    [rule("r1", { kind: "any" }, peer("lab", { app: "pod" }), [ports("tcp", 80)])],
    [{ selector: pods("lab", { app: "pod" }), direction: "ingress", mode: "deny" }],
  );
  const { plan } = wantedTable({ host: HOST, policySets: [policy], inventory, isForwarding: true });
  assert.deepEqual(plan.scopes[0]?.directions, ["to"]);
  const text = generationText(plan.scopes[0]!);
  assert.match(text, /0\.0\.0\.0\/0 \. 10\.89\.0\.11 \. 6 \. 80 counter comment "r1"/);
  assert.match(flipText(plan), /miss_to ip daddr @to4_behind_shop_g3 meta nfproto @lease_shop drop/);
  assert.doesNotMatch(structureText(plan), /hook input|hook output/);
});

test("an unknown host, two sets of one name, or a name that nft could misread are refused in one line", () => {
  const order = { host: HOST, policySets: [scope("a", 1)], inventory: INVENTORY, isForwarding: false };
  assert.throws(
    () => wantedTable({ ...order, host: "nobody" }),
    /Cannot render the table of host "nobody": the inventory/,
  );
  assert.throws(
    () => wantedTable({ ...order, policySets: [scope("a", 1), scope("a", 2)] }),
    /two policy sets are named "a"/,
  );
  assert.throws(() => wantedTable({ ...order, policySets: [scope("a b; drop", 1)] }), /Cannot render policy set/);
  assert.throws(() => wantedTable({ ...order, policySets: [scope("a".repeat(64), 1)] }), /at most 63/);
});
