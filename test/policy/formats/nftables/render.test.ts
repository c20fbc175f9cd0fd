import assert from "node:assert/strict";
import test from "node:test";
import { renderNftables } from "../../../../policy/formats/nftables/render.js";
import { cidr, inventoryOf, peer, pods, policySet, ports, rule, SHOP, workload } from "../../sample-policy.js";

function elementsOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.includes(" counter comment "))
    .map((line) => line.trim().replace(/,$/, ""));
}

function hostText(bundle: ReturnType<typeof renderNftables>, path: string): string {
  const file = bundle.files.find((candidate) => candidate.path === path);
  assert.ok(file, `no ${path} among ${bundle.files.map((each) => each.path).join(", ")}`);
  return file.text;
}

const isolated = (name: string, direction: "ingress" | "egress" = "ingress") =>
  ({ selector: pods("a", { app: name }), direction, mode: "audit" }) as const;

test("every isolated host with an address gets a file, pods and machines alike", () => {
  const bundle = renderNftables(SHOP.policy, SHOP.inventory, { mode: "deny" });
  assert.deepEqual(
    bundle.files.map((file) => file.path),
    ["README.md", "data-db.nft", "shop-api.nft", "shop-web.nft"],
  );
});

test("elements hold addresses, protocol and ports, and name their rules", () => {
  const text = hostText(renderNftables(SHOP.policy, SHOP.inventory, { mode: "deny" }), "data-db.nft");
  assert.deepEqual(elementsOf(text), [
    '10.0.0.20 . 6 . 5432 counter comment "r3-db"',
    '2001:db8::20 . 6 . 5432 counter comment "r3-db"',
  ]);
});

test("overlapping rules become disjoint elements, each with all rules that permit it", () => {
  const inventory = inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3"])]);
  const policy = policySet(
    [
      rule("r1", cidr("10.0.0.0/8"), peer("a", { app: "db" }), [ports("tcp", 80, 90)]),
      rule("r2", cidr("10.1.0.0/16"), peer("a", { app: "db" }), [ports("tcp", 85, 100)]),
    ],
    [isolated("db")],
  );
  assert.deepEqual(elementsOf(hostText(renderNftables(policy, inventory, { mode: "deny" }), "a-db.nft")), [
    '10.0.0.0/8 . 6 . 80-84 counter comment "r1"',
    '10.0.0.0/16 . 6 . 85-90 counter comment "r1"',
    '10.1.0.0/16 . 6 . 85-90 counter comment "r1,r2"',
    '10.2.0.0-10.255.255.255 . 6 . 85-90 counter comment "r1"',
    '10.1.0.0/16 . 6 . 91-100 counter comment "r2"',
  ]);
});

test("audit and deny differ in the lease alone", () => {
  const lines = (mode: "audit" | "deny") =>
    hostText(renderNftables(SHOP.policy, SHOP.inventory, { mode }), "shop-api.nft").split("\n");
  const audit = new Set(lines("audit"));
  assert.deepEqual(
    lines("deny").filter((line) => !audit.has(line)),
    ["add element inet portolan lease_shop { ipv4, ipv6 }"],
  );
});

test("a name is never part of a statement: rule ids that nft could misread are refused", () => {
  const inventory = inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3"])]);
  const policy = policySet(
    [rule('x" accept; drop', cidr("10.0.0.0/8"), peer("a", { app: "db" }), [ports("tcp", 80)])],
    [isolated("db")],
  );
  assert.throws(() => renderNftables(policy, inventory, { mode: "deny" }), /Cannot render rule id/);
});

test("a hostile workload name stays in its comment line and out of the file name", () => {
  const inventory = inventoryOf([
    { ...workload("a/db", { app: "db" }, ["10.0.0.3"]), id: '../../etc/x"\n; flush ruleset\n#' },
  ]);
  const policy = policySet([], [isolated("db")]);
  const bundle = renderNftables(policy, inventory, { mode: "deny" });
  assert.deepEqual(
    bundle.files.map((file) => file.path),
    ["README.md", "etc-x-flush-ruleset.nft"],
  );
  assert.doesNotMatch(hostText(bundle, "etc-x-flush-ruleset.nft"), /^[^#]*flush ruleset/m);
});

test("comments never exceed what the kernel keeps", () => {
  const inventory = inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3"])]);
  const rules = Array.from({ length: 60 }, (_, i) =>
    rule(`a-long-rule-id-${i}`, cidr("10.0.0.0/8"), peer("a", { app: "db" }), [ports("tcp", 80)]),
  );
  const text = hostText(renderNftables(policySet(rules, [isolated("db")]), inventory, { mode: "deny" }), "a-db.nft");
  const comment = /comment "([^"]*)"/.exec(elementsOf(text)[0] ?? "")?.[1] ?? "";
  assert.ok(comment.length <= 127 && /,\+\d+$/.test(comment), comment);
});

test("an ICMP code, a whole type and all types are cut at type boundaries", () => {
  const inventory = inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3"])]);
  const policy = policySet(
    [
      rule("r1", cidr("10.0.0.0/8"), peer("a", { app: "db" }), [{ kind: "icmp", protocol: "icmp" }]),
      rule("r2", cidr("10.0.0.0/8"), peer("a", { app: "db" }), [{ kind: "icmp", protocol: "icmp", type: 3, code: 4 }]),
    ],
    [isolated("db")],
  );
  assert.deepEqual(elementsOf(hostText(renderNftables(policy, inventory, { mode: "deny" }), "a-db.nft")), [
    '10.0.0.0/8 . 0-2 . 0-255 counter comment "r1"',
    '10.0.0.0/8 . 3 . 0-3 counter comment "r1"',
    '10.0.0.0/8 . 3 . 4 counter comment "r1,r2"',
    '10.0.0.0/8 . 3 . 5-255 counter comment "r1"',
    '10.0.0.0/8 . 4-255 . 0-255 counter comment "r1"',
  ]);
});

test("a rule by address holds only for the host's addresses that it names", () => {
  const inventory = inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3", "192.0.2.3"])]);
  const policy = policySet([rule("r1", { kind: "any" }, cidr("192.0.2.0/24"), [ports("tcp", 80)])], [isolated("db")]);
  const text = hostText(renderNftables(policy, inventory, { mode: "deny" }), "a-db.nft");
  assert.deepEqual(elementsOf(text), ['0.0.0.0/0 . 192.0.2.0/24 . 6 . 80 counter comment "r1"']);
  assert.match(text, /ip saddr \. ip daddr \. meta l4proto \. th dport @in4_local-ports_\S+ accept/);
  assert.doesNotMatch(text, /@in4_ports_/); // a set for nobody is not made
});

test("whoever may reach every member of a shared address may send to it, and that is reported", () => {
  const inventory = {
    ...inventoryOf([
      workload("a/web-1", { app: "web" }, ["10.0.0.1"]),
      workload("a/web-2", { app: "web" }, ["10.0.0.2"]),
      workload("a/client", { app: "client" }, ["10.0.0.9"]),
    ]),
    shared: [{ name: "web", namespace: "a", addresses: ["10.0.0.80"], members: ["a/web-1", "a/web-2"] }],
  };
  const policy = policySet(
    [rule("r1", peer("a", { app: "client" }), peer("a", { app: "web" }), [ports("tcp", 80)])],
    [isolated("client", "egress")],
  );
  const bundle = renderNftables(policy, inventory, { mode: "deny" });
  assert.deepEqual(elementsOf(hostText(bundle, "a-client.nft")), [
    '10.0.0.1-10.0.0.2 . 6 . 80 counter comment "r1"',
    '10.0.0.80 . 6 . 80 counter comment "r1-shared-1"',
  ]);
  assert.ok(bundle.losses.some((loss) => loss.ruleId === "r1" && loss.kind === "widened"));
});

test("a DNS name cannot be a packet filter and is reported", () => {
  const policy = policySet(
    [rule("r1", peer("shop", { app: "api" }), { kind: "fqdn", pattern: "api.example.com" }, [ports("tcp", 443)])],
    [{ selector: pods("shop", { app: "api" }), direction: "egress", mode: "audit" }],
  );
  const { losses } = renderNftables(policy, SHOP.inventory, { mode: "deny" });
  assert.ok(losses.some((loss) => loss.ruleId === "r1" && loss.kind === "dropped"));
});

test("lifelines stand before the policy and do not depend on it", () => {
  const text = hostText(
    renderNftables(
      policySet([], [isolated("db")]),
      {
        ...inventoryOf([workload("a/db", { app: "db" }, ["10.0.0.3"])]),
        lifelines: SHOP.inventory.lifelines,
      },
      { mode: "deny" },
    ),
    "a-db.nft",
  );
  for (const wanted of [
    "meta iif lo accept",
    "ip saddr 10.9.0.0/24 tcp dport 22 accept",
    "ip daddr 10.0.0.53 udp dport 53 accept",
    "ip daddr 10.0.0.53 tcp dport 53 accept",
    "ip daddr 10.0.0.123 udp dport 123 accept",
    "ip daddr 10.9.0.5 tcp dport 7443 accept",
    "udp dport { 67, 68, 546, 547 } accept",
  ]) {
    assert.ok(text.includes(wanted), wanted);
  }
  assert.ok(text.indexOf("jump lifeline") < text.indexOf("jump dispatch_in"));
});
