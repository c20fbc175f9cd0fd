import fc from "fast-check";
import type { LabelRequirement, LabelSelector } from "../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { Query, QueryEnd } from "../../policy/decision/question.js";
import type { Peer, WorkloadSelector } from "../../policy/peer.js";
import { type Isolation, POLICY_SET_VERSION, type PolicySet } from "../../policy/policy-set.js";
import type { Service } from "../../policy/service.js";

/** Small worlds on purpose: few names and numbers, so that rules, workloads and questions meet often. */
const NAMESPACES = ["alpha", "beta"];
const KEYS = ["app", "tier"];
const VALUES = ["a", "b", "c"];
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.1", "fd00::1", "fd00::2"];
const OUTSIDERS = [
  "0.0.0.0",
  "10.0.0.3",
  "10.0.255.255",
  "192.0.2.1",
  "255.255.255.255",
  "::",
  "fd00::3",
  "2001:db8::1",
];
const CIDRS: readonly (readonly [string, readonly string[]])[] = [
  ["0.0.0.0/0", ["10.0.0.0/8", "192.0.2.0/24"]],
  ["10.0.0.0/8", ["10.0.0.0/24", "10.0.1.1/32"]],
  ["10.0.0.0/16", ["10.0.0.1/32", "10.0.0.2/31"]],
  ["192.0.2.1/32", []],
  ["::/0", ["fd00::/64"]],
  ["fd00::/64", ["fd00::1/128"]],
];
const PORTS = [0, 1, 80, 81, 443, 65535];

const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key: fc.constantFrom(...KEYS),
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: fc.constantFrom(...KEYS), operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
);
const labels: fc.Arbitrary<LabelSelector> = fc.record({ requirements: fc.array(requirement, { maxLength: 2 }) });
const namespaces: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({ requirements: [] }),
  fc.constantFrom(...NAMESPACES).map((name) => ({
    requirements: [{ key: "kubernetes.io/metadata.name", operator: "In" as const, values: [name] }],
  })),
);

export const arbitrarySelector: fc.Arbitrary<WorkloadSelector> = fc.record({
  namespaces,
  labels,
  serviceAccounts: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.constant(["alpha/robot"])),
});

export const arbitraryPeer: fc.Arbitrary<Peer> = fc.oneof(
  { weight: 4, arbitrary: arbitrarySelector.map((selector): Peer => ({ kind: "workloads", selector })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...CIDRS)
      .chain(([cidr, inside]) =>
        fc.subarray([...inside]).map((except): Peer => ({ kind: "cidr", cidr, except: [...except].sort() })),
      ),
  },
  { weight: 1, arbitrary: fc.constant<Peer>({ kind: "group", name: "office" }) },
  { weight: 1, arbitrary: fc.constant<Peer>({ kind: "any" }) },
);

const ports = fc
  .tuple(fc.constantFrom(...PORTS), fc.constantFrom(...PORTS))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

export const arbitraryService: fc.Arbitrary<Service> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("ports" as const),
      protocol: fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const),
      ports,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        kind: fc.constant("icmp" as const),
        protocol: fc.constantFrom("icmp" as const, "icmpv6" as const),
        type: fc.constantFrom(0, 8, 128),
        code: fc.constantFrom(0, 1),
      },
      { requiredKeys: ["kind", "protocol"] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(47, 6, 1).map((protocol) => ({ kind: "protocol" as const, protocol })) },
  { weight: 1, arbitrary: fc.constant({ kind: "any" as const }) },
);

const workload: fc.Arbitrary<Omit<Workload, "id" | "addresses">> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    labels: fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES), { noNullPrototype: true }),
    serviceAccount: fc.constantFrom("robot", "default"),
  })
  .map((parts) => ({ ...parts, name: "", kind: "Pod" }));

/** Up to six workloads with one address, two of different families, or none. */
export const arbitraryInventory: fc.Arbitrary<Inventory> = fc
  .tuple(fc.array(workload, { minLength: 1, maxLength: 6 }), fc.shuffledSubarray(ADDRESSES))
  .map(([shapes, pool]) => {
    const ipv4 = pool.filter((address) => !address.includes(":"));
    const ipv6 = pool.filter((address) => address.includes(":"));
    const workloads = shapes.map((shape, i): Workload => {
      const held = [ipv4[i], ipv6[i]].filter((address) => address !== undefined);
      const name = `w${i}`;
      return { ...shape, name, id: `${shape.namespace}/${name}`, addresses: held.map((address) => ({ address })) };
    });
    workloads.sort((a, b) => (a.id < b.id ? -1 : 1));
    return {
      ...EMPTY_INVENTORY,
      workloads,
      namespaces: NAMESPACES.map((name) => ({ name, labels: {} })),
      groups: [{ name: "office", cidrs: ["10.1.0.0/16", "2001:db8::/32"] }],
    };
  });

const rule: fc.Arbitrary<Omit<AllowRule, "id">> = fc.record({
  client: arbitraryPeer,
  server: arbitraryPeer,
  services: fc.array(arbitraryService, { minLength: 1, maxLength: 3 }),
  reason: fc.constant("made for a test"),
  confidence: fc.constant(1),
  widenings: fc.constant([]),
});

const isolation: fc.Arbitrary<Isolation> = fc.record({
  selector: arbitrarySelector,
  direction: fc.constantFrom("ingress" as const, "egress" as const),
  mode: fc.constantFrom("audit" as const, "deny" as const),
});

export const arbitraryPolicySet: fc.Arbitrary<PolicySet> = fc
  .record({ rules: fc.array(rule, { maxLength: 6 }), isolations: fc.array(isolation, { maxLength: 4 }) })
  .map(({ rules, isolations }) => ({
    version: POLICY_SET_VERSION,
    name: "made",
    generation: 1,
    rules: rules.map((each, i) => ({ ...each, id: `rule-${i}` })),
    isolations,
    groups: [],
  }));

/** A question about ends that the inventory has, or about addresses that it does not. */
export function arbitraryQuery(inventory: Inventory): fc.Arbitrary<Query> {
  const end: fc.Arbitrary<QueryEnd> = fc.oneof(
    fc.constantFrom(...inventory.workloads).map((w) => ({ kind: "workload" as const, id: w.id })),
    fc.constantFrom(...OUTSIDERS, ...ADDRESSES).map((address) => ({ kind: "address" as const, address })),
  );
  return fc.record({
    client: end,
    server: end,
    protocol: fc.constantFrom(6, 17, 132, 1, 58, 47, 0),
    port: fc.constantFrom(...PORTS.filter((port) => port < 256), 8, 128, 79, 82),
    icmpCode: fc.constantFrom(0, 1),
  });
}
