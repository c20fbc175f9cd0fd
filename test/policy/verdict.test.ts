import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../model/address.js";
import { EVERYTHING, selectorOfLabels } from "../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import { servicePoint } from "../../policy/decision/service-line.js";
import type { Peer } from "../../policy/peer.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { compilePolicy, verdict } from "../../policy/verdict.js";
import { arbitraryInventory, arbitraryPolicySet, arbitraryQuery } from "./arbitrary.js";
import { type NaiveEnd, naiveVerdict } from "./naive.js";

const CODES = ["allowed", "audited", "denied"];

function endAt(policy: CompiledPolicy, point: number, address: string | undefined): NaiveEnd {
  const held = policy.sets.space.workloadPoints[point];
  if (held === undefined) return { workload: undefined, address };
  return { workload: held.workload, address: held.address === undefined ? undefined : formatAddress(held.address) };
}

test("the engine's table, its explanation and a naive reading of the policy agree on random worlds", () => {
  fc.assert(
    fc.property(
      arbitraryInventory.chain((inventory) =>
        fc.tuple(
          fc.constant(inventory),
          arbitraryPolicySet,
          fc.array(arbitraryQuery(inventory), { minLength: 20, maxLength: 60 }),
        ),
      ),
      ([inventory, policySet, queries]) => {
        const policy = compilePolicy(policySet, inventory);
        for (const query of queries) {
          const [client, server] = policy.pointsOf(query);
          const addressOf = (end: typeof query.client) => (end.kind === "address" ? end.address : undefined);
          const expected = naiveVerdict(
            policySet,
            inventory,
            endAt(policy, client, addressOf(query.client)),
            endAt(policy, server, addressOf(query.server)),
            { protocol: query.protocol, port: query.port, icmpCode: query.icmpCode ?? 0 },
          );
          const code = policy.code(client, server, servicePoint(query.protocol, query.port, query.icmpCode));
          assert.equal(CODES[code], expected, JSON.stringify(query));
          assert.equal(policy.verdict(query).verdict, expected, JSON.stringify(query));
        }
      },
    ),
    { numRuns: 400 },
  );
});

function workload(name: string, address: string, extra: Partial<Workload> = {}): Workload {
  const base = { namespace: "shop", name, kind: "Pod", labels: { app: name }, addresses: [{ address }] };
  return { id: `shop/${name}`, ...base, ...extra };
}

const INVENTORY: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [workload("db", "10.0.0.2"), workload("web", "10.0.0.1")],
  namespaces: [{ name: "shop", labels: {} }],
  groups: [{ name: "office", cidrs: ["192.0.2.0/24"] }],
};

function app(name: string): Peer {
  return {
    kind: "workloads",
    selector: { namespaces: EVERYTHING, labels: selectorOfLabels({ app: name }), serviceAccounts: [] },
  };
}

function allow(id: string, client: Peer, server: Peer, port: number): AllowRule {
  const services = [{ kind: "ports", protocol: "tcp", ports: { first: port, last: port } } as const];
  return { id, client, server, services, reason: "tests want it", confidence: 1, widenings: [] };
}

const EVERYONE = { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: [] };

function policySet(rules: readonly AllowRule[], mode: "audit" | "deny" = "deny"): PolicySet {
  return {
    version: 1,
    name: "shop",
    generation: 1,
    rules,
    isolations: [
      { selector: EVERYONE, direction: "egress", mode },
      { selector: EVERYONE, direction: "ingress", mode },
    ],
    groups: [],
  };
}

const WEB = { kind: "workload", id: "shop/web" } as const;
const DB = { kind: "workload", id: "shop/db" } as const;

test("an allowed question names the rule at both ends", () => {
  const answer = verdict(policySet([allow("web-db", app("web"), app("db"), 5432)]), INVENTORY, {
    client: WEB,
    server: DB,
    protocol: 6,
    port: 5432,
  });
  assert.deepEqual(answer, {
    verdict: "allowed",
    egress: { verdict: "allowed", rules: ["web-db"], policies: ["shop"], reason: "a rule of shop allows it" },
    ingress: { verdict: "allowed", rules: ["web-db"], policies: ["shop"], reason: "a rule of shop allows it" },
    rules: ["web-db"],
  });
});

test("a denied question says who isolates the workload, and an audited one the same", () => {
  for (const [mode, wanted] of [
    ["deny", "denied"],
    ["audit", "audited"],
  ] as const) {
    const rules = [allow("web-db", app("web"), app("db"), 5432)];
    const answer = verdict(policySet(rules, mode), INVENTORY, { client: WEB, server: DB, protocol: 6, port: 22 });
    assert.equal(answer.verdict, wanted);
    assert.deepEqual(answer.rules, []);
    assert.equal(answer.egress.reason, "isolated for egress by shop, and no rule matches");
    assert.deepEqual(answer.egress.policies, ["shop"]);
  }
});

test("in audit mode an allowed question still names its rule", () => {
  const rules = [allow("web-db", app("web"), app("db"), 5432)];
  const answer = verdict(policySet(rules, "audit"), INVENTORY, { client: WEB, server: DB, protocol: 6, port: 5432 });
  assert.deepEqual([answer.verdict, answer.rules], ["allowed", ["web-db"]]);
});

test("an address of the inventory is judged as the workload behind it", () => {
  const policy = compilePolicy(policySet([allow("web-db", app("web"), app("db"), 5432)]), INVENTORY);
  const client = { kind: "address", address: "10.0.0.1" } as const;
  assert.equal(policy.verdict({ client, server: DB, protocol: 6, port: 5432 }).verdict, "allowed");
});

test("an address is judged as whoever had it at the asked time", () => {
  const inventory: Inventory = {
    ...INVENTORY,
    workloads: [
      workload("db", "10.0.0.2"),
      workload("job", "10.0.0.1", { addresses: [{ address: "10.0.0.1", fromUs: 100 }] }),
      workload("web", "10.0.0.1", { addresses: [{ address: "10.0.0.1", untilUs: 100 }] }),
    ],
  };
  const question = { client: { kind: "address", address: "10.0.0.1" }, server: DB, protocol: 6, port: 5432 } as const;
  const rules = policySet([allow("web-db", app("web"), app("db"), 5432)]);
  assert.equal(verdict(rules, inventory, question, { atUs: 99 }).verdict, "allowed");
  assert.equal(verdict(rules, inventory, question, { atUs: 100 }).verdict, "denied");
  assert.equal(verdict(rules, inventory, question).verdict, "denied");
});

test("a group of the inventory and a DNS name are peers by their addresses", () => {
  const rules = [
    allow("office-web", { kind: "group", name: "office" }, app("web"), 443),
    allow("web-api", app("web"), { kind: "fqdn", pattern: "*.example.com" }, 443),
  ];
  const names = new Map([
    ["api.example.com", ["198.51.100.7"]],
    ["a.b.example.com", ["198.51.100.8"]],
  ]);
  const policy = compilePolicy(policySet(rules), INVENTORY, { names });
  const ask = (client: string, server: string) =>
    policy.verdict({
      client: { kind: "address", address: client },
      server: { kind: "address", address: server },
      protocol: 6,
      port: 443,
    }).verdict;
  assert.equal(ask("192.0.2.9", "10.0.0.1"), "allowed");
  assert.equal(ask("192.0.3.0", "10.0.0.1"), "denied");
  assert.equal(ask("10.0.0.1", "198.51.100.7"), "allowed");
  assert.equal(ask("10.0.0.1", "198.51.100.8"), "denied");
});

test("a rule with an unknown group is refused by name", () => {
  const rules = policySet([allow("r", { kind: "group", name: "nobody" }, app("web"), 443)]);
  assert.throws(() => compilePolicy(rules, INVENTORY), {
    name: "RangeError",
    message: 'Cannot resolve group "nobody" of rule "r": wanted a group of the policy set or the inventory',
  });
});

test("a workload that the inventory does not know is refused by name", () => {
  const policy = compilePolicy(policySet([]), INVENTORY);
  const client = { kind: "workload", id: "shop/ghost" } as const;
  assert.throws(() => policy.verdict({ client, server: DB, protocol: 6, port: 1 }), {
    name: "RangeError",
    message: 'Cannot judge workload "shop/ghost": the inventory does not know it',
  });
});
