import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseAddress } from "../../model/address.js";
import { EVERYTHING } from "../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";
import { compare } from "../../policy/compare.js";
import { intervalsOfService } from "../../policy/decision/service-line.js";
import { programOfPolicySet } from "../../policy/neutral.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { arbitraryInventory, arbitraryPolicySet, arbitraryService } from "./arbitrary.js";
import { type NaiveEnd, naiveVerdict } from "./naive.js";

/** Addresses on both sides of every border that the arbitrary policies can draw. */
const BORDERS = [
  ...["0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.255"],
  ...["10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0", "10.255.255.255"],
  ...["11.0.0.0", "192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.3.0", "::", "2001:db8::", "2001:db9::"],
  ...["fcff:ffff::", "fd00::", "fd00::1", "fd00::2", "fd00::3", "fd00:0:0:1::"],
];
const SERVICES = [6, 17, 132].flatMap((protocol) =>
  [0, 1, 2, 79, 80, 81, 82, 442, 443, 444, 65534, 65535].map((port) => ({ protocol, port, icmpCode: 0 })),
);
const ICMP = [0, 1, 8, 128].flatMap((port) => [0, 1, 2].map((icmpCode) => ({ port, icmpCode })));

/** Searches for a difference by asking the naive evaluator about every combination that could show one. */
function naiveDifference(a: PolicySet, b: PolicySet, inventory: Inventory): string | undefined {
  const ends: NaiveEnd[] = inventory.workloads.flatMap((workload): NaiveEnd[] =>
    workload.addresses.length === 0
      ? [{ workload, address: undefined }]
      : workload.addresses.map(({ address }) => ({ workload, address })),
  );
  const taken = new Set(ends.map((end) => end.address));
  for (const address of BORDERS) if (!taken.has(address)) ends.push({ workload: undefined, address });
  const familyOf = (end: NaiveEnd) => (end.address === undefined ? 0 : parseAddress(end.address).family);
  for (const client of ends) {
    for (const server of ends) {
      const families = new Set([familyOf(client), familyOf(server)].filter((family) => family !== 0));
      if (families.size > 1 || (client.workload === undefined && server.workload === undefined)) continue;
      const packets = [...SERVICES, { protocol: 47, port: 0, icmpCode: 0 }, { protocol: 0, port: 0, icmpCode: 0 }];
      if (!families.has(6)) packets.push(...ICMP.map((icmp) => ({ protocol: 1, ...icmp })));
      if (!families.has(4)) packets.push(...ICMP.map((icmp) => ({ protocol: 58, ...icmp })));
      for (const packet of packets) {
        const left = naiveVerdict(a, inventory, client, server, packet);
        const right = naiveVerdict(b, inventory, client, server, packet);
        if (left !== right)
          return JSON.stringify({ client: client.address, server: server.address, packet, left, right });
      }
    }
  }
  return undefined;
}

/** Two policy sets that are unrelated, or one rule, service or isolation apart, or the same in another order. */
const pair: fc.Arbitrary<readonly [PolicySet, PolicySet]> = fc.oneof(
  fc.tuple(arbitraryPolicySet, arbitraryPolicySet),
  arbitraryPolicySet.map((a) => [a, { ...a, rules: a.rules.slice(1) }] as const),
  arbitraryPolicySet.map((a) => [a, { ...a, isolations: a.isolations.slice(1) }] as const),
  arbitraryPolicySet.map(
    (a) => [a, { ...a, rules: [...a.rules].reverse(), isolations: [...a.isolations, ...a.isolations] }] as const,
  ),
  fc.tuple(arbitraryPolicySet, arbitraryService).map(([a, service]): readonly [PolicySet, PolicySet] => {
    const [first, ...rest] = a.rules;
    return [
      a,
      { ...a, rules: first === undefined ? [] : [{ ...first, services: [...first.services, service] }, ...rest] },
    ];
  }),
);

test("compare() and an exhaustive search with a naive evaluator agree on random pairs of policies", () => {
  let equal = 0;
  fc.assert(
    fc.property(arbitraryInventory, pair, (inventory, [a, b]) => {
      const result = compare(programOfPolicySet(a, inventory), programOfPolicySet(b, inventory), inventory);
      const expected = naiveDifference(a, b, inventory);
      if (result.kind === "equal") {
        equal++;
        assert.equal(expected, undefined);
      } else {
        assert.notEqual(expected, undefined, result.text);
        assert.notEqual(result.witness.before.verdict, result.witness.after.verdict);
      }
    }),
    { numRuns: 120, seed: 11 },
  );
  assert.ok(equal > 10, `only ${equal} pairs were equal`);
});

const ONE: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [
    { id: "shop/web", namespace: "shop", name: "web", kind: "Pod", labels: {}, addresses: [{ address: "10.0.0.1" }] },
  ],
};
const EVERYONE = { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: [] };

function open(ports: readonly (readonly [number, number])[], cidr = "0.0.0.0/0"): PolicySet {
  return {
    version: 1,
    name: "shop",
    generation: 1,
    rules: ports.map(([first, last], i) => ({
      id: `rule-${i}`,
      client: { kind: "cidr", cidr, except: [] },
      server: { kind: "workloads", selector: EVERYONE },
      services: [{ kind: "ports", protocol: "tcp", ports: { first, last } }],
      reason: "tests want it",
      confidence: 1,
      widenings: [],
    })),
    isolations: [{ selector: EVERYONE, direction: "ingress", mode: "deny" }],
    groups: [],
  };
}

const programOf = (policySet: PolicySet) => programOfPolicySet(policySet, ONE);

test("a range of ports equals the same ports in pieces", () => {
  const whole = programOf(open([[80, 90]]));
  assert.equal(
    compare(
      whole,
      programOf(
        open([
          [80, 84],
          [85, 90],
        ]),
      ),
      ONE,
    ).kind,
    "equal",
  );
});

test("one port too few is shown by a packet, with both verdicts in words", () => {
  const result = compare(programOf(open([[80, 90]])), programOf(open([[80, 89]])), ONE);
  assert.equal(
    result.kind === "different" && result.text,
    "0.0.0.0 to shop/web (10.0.0.1), tcp 90: first allowed (by rule-0), " +
      "second denied (isolated for ingress by shop, and no rule matches)",
  );
});

test("one address too few is shown by that address", () => {
  const before = programOf(open([[80, 80]], "192.0.2.0/24"));
  const after = { ...open([[80, 80]], "192.0.2.0/25") };
  const result = compare(
    before,
    programOf({ ...after, rules: [...after.rules, ...open([[80, 80]], "192.0.2.128/26").rules] }),
    ONE,
  );
  assert.equal(result.kind === "different" && result.witness.client, "192.0.2.192");
});

test("differences outside of the asked services do not count", () => {
  const services = intervalsOfService({ kind: "ports", protocol: "tcp", ports: { first: 0, last: 89 } });
  const [a, b] = [programOf(open([[80, 90]])), programOf(open([[80, 89]]))];
  assert.equal(compare(a, b, ONE, { services }).kind, "equal");
});

test("differences at the other end do not count when one end is asked for", () => {
  const [a, b] = [programOf(open([[80, 90]])), programOf(open([[80, 89]]))];
  assert.equal(compare(a, b, ONE, { ends: "egress" }).kind, "equal");
  assert.equal(compare(a, b, ONE, { ends: "ingress" }).kind, "different");
});
