import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { InventoryFileError, parseInventory } from "../../model/inventory-file.js";
import { formatInventory } from "../../model/inventory-format.js";
import { parseTimeUs } from "../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";

const FULL = `version: 1
namespaces:
  - { name: shop, labels: { env: prod } }
workloads:
  - id: shop/web-one
    namespace: shop
    name: web-1
    kind: Host
    serviceAccount: web
    labels: { app: web, tier: frontend }
    ports: [ { name: http, protocol: tcp, port: 80 } ]
    host: data/db
    addresses:
      - 10.20.1.11
      - { address: "FD20:1::0011", from: 2026-11-22T10:00:00Z, until: 2026-11-22T11:00:00+00:00 }
  - { namespace: data, name: db }
shared:
  - { name: web, namespace: shop, addresses: [10.20.0.80], members: [shop/web-one, data/db] }
groups:
  - { name: office, cidrs: [192.0.2.7/24, 198.51.100.1] }
lifelines: { management: [10.20.9.0/24], resolvers: [10.20.0.53], timeServers: [], controllers: [ { address: 10.20.9.1, port: 8443 } ] }
`;

function problemsOf(source: string): readonly string[] {
  try {
    parseInventory(source, "inv.yaml");
  } catch (error) {
    assert.ok(error instanceof InventoryFileError);
    return error.message.split("\n");
  }
  assert.fail("the file was accepted");
}

test("parseInventory() reads every field, makes addresses canonical and fills the defaults", () => {
  const inventory = parseInventory(FULL);
  assert.deepEqual(inventory.namespaces, [
    { name: "data", labels: {} },
    { name: "shop", labels: { env: "prod" } },
  ]);
  assert.deepEqual(inventory.workloads, [
    { id: "data/db", namespace: "data", name: "db", kind: "Workload", labels: {}, addresses: [] },
    {
      id: "shop/web-one",
      namespace: "shop",
      name: "web-1",
      kind: "Host",
      serviceAccount: "web",
      host: "data/db",
      labels: { app: "web", tier: "frontend" },
      namedPorts: [{ name: "http", protocol: 6, port: 80 }],
      addresses: [
        { address: "10.20.1.11" },
        {
          address: "fd20:1::11",
          fromUs: parseTimeUs("2026-11-22T10:00:00Z"),
          untilUs: parseTimeUs("2026-11-22T11:00:00Z"),
        },
      ],
    },
  ]);
  assert.deepEqual(inventory.shared, [
    { name: "web", namespace: "shop", addresses: ["10.20.0.80"], members: ["data/db", "shop/web-one"] },
  ]);
  assert.deepEqual(inventory.groups, [{ name: "office", cidrs: ["192.0.2.0/24", "198.51.100.1/32"] }]);
  assert.deepEqual(inventory.lifelines, {
    management: ["10.20.9.0/24"],
    resolvers: ["10.20.0.53/32"],
    timeServers: [],
    controllers: [{ address: "10.20.9.1", port: 8443 }],
  });
});

test("parseInventory() reads the same inventory from JSON", () => {
  const json = JSON.stringify({ version: 1, workloads: [{ namespace: "a", name: "b", addresses: ["192.0.2.1"] }] });
  assert.deepEqual(parseInventory(json).workloads[0]?.addresses, [{ address: "192.0.2.1" }]);
  assert.deepEqual(parseInventory("version: 1\n"), EMPTY_INVENTORY);
});

const WRONG: readonly [name: string, source: string, problems: readonly RegExp[]][] = [
  ["no YAML", "version: 1\nworkloads: [", [/^inv\.yaml:2:13: Cannot read inventory: /]],
  ["an empty file", "", [/^inv\.yaml:1:1: Cannot read inventory "null": wanted a mapping with the fields/]],
  ["another version", "version: 2", [/^inv\.yaml:1:10: Cannot read version "2": wanted 1/]],
  ["a missing version", "groups: []", [/^inv\.yaml:1:1: Cannot read version: it is missing, wanted 1/]],
  [
    "an unknown field, by its own name and place",
    "version: 1\nworkloads:\n  - namespace: a\n    name: b\n    adresses: []\n",
    [/^inv\.yaml:5:5: Cannot read workloads\[0\]\.adresses: unknown field, wanted one of .*addresses.*kind/],
  ],
  [
    "several wrong fields, each at its place",
    `version: 1
workloads:
  - namespace: a
    name: b
    labels: { tier: 1, "bad key": x }
    ports: [ { name: http, protocol: tpc, port: 70000 } ]
    addresses:
      - 10.0.0.256
      - { address: 10.0.0.1, from: yesterday }
      - 7
groups: [ { name: external, cidrs: [10.0.0.0/33] } ]
`,
    [
      /^inv\.yaml:5:21: Cannot read workloads\[0\]\.labels\.tier "1": wanted a label value .*quote numbers/,
      /^inv\.yaml:5:35: Cannot read workloads\[0\]\.labels\.bad key "x": wanted a label key/,
      /^inv\.yaml:6:38: Cannot read workloads\[0\]\.ports\[0\]\.protocol "tpc": wanted a protocol/,
      /^inv\.yaml:6:49: Cannot read workloads\[0\]\.ports\[0\]\.port "70000": wanted a port 1\.\.65535/,
      /^inv\.yaml:8:9: Cannot read workloads\[0\]\.addresses\[0\]\.address "10\.0\.0\.256": wanted an IPv4 or IPv6/,
      /^inv\.yaml:9:36: Cannot read workloads\[0\]\.addresses\[1\]\.from "yesterday": wanted a time in RFC 3339/,
      /^inv\.yaml:10:9: Cannot read workloads\[0\]\.addresses\[2\] "7": wanted a mapping/,
      /^inv\.yaml:11:19: Cannot read groups\[0\]\.name "external": wanted a lower-case name/,
      /^inv\.yaml:11:37: Cannot read groups\[0\]\.cidrs\[0\] "10\.0\.0\.0\/33": wanted a CIDR/,
    ],
  ],
  [
    "one address with two owners at one time, naming both lines",
    `version: 1
workloads:
  - { namespace: a, name: one, addresses: [ { address: 10.0.0.1, until: 2026-01-01T10:00:00Z } ] }
  - { namespace: a, name: two, addresses: [ { address: 10.0.0.1, from: 2026-01-01T09:00:00Z } ] }
`,
    [
      /^inv\.yaml:4:45: .*one owner of 10\.0\.0\.1 at a time, but a\/one and a\/two both have it from 2026-01-01T09:00:00\.000Z until 2026-01-01T10:00:00\.000Z \(see line 3\)$/,
    ],
  ],
  [
    "an address that is shared and a workload's, however it is spelled",
    `version: 1
workloads: [ { namespace: a, name: one, addresses: ["fd00:0::1"] } ]
shared: [ { name: vip, namespace: a, addresses: ["fd00::1"], members: [a/one, a/two] } ]
`,
    [
      /^inv\.yaml:3:50: .*a\/one and the shared name a\/vip both have it at all times \(see line 2\)$/,
      /^inv\.yaml:3:79: Cannot read shared\[0\]\.members\[1\] "a\/two": wanted the id of a workload in this file$/,
    ],
  ],
  [
    "names that are given twice",
    `version: 1
workloads: [ { namespace: a, name: b }, { id: a/b, namespace: x, name: y } ]
groups: [ { name: g, cidrs: [10.0.0.0/8] }, { name: h, cidrs: [10.1.2.3/8] } ]
`,
    [
      /workloads\[1\]\.id "a\/b": wanted each workload id once/,
      /groups\[1\]\.cidrs\[0\] "10\.1\.2\.3\/8": wanted each CIDR/,
    ],
  ],
  [
    "a host that is nobody, or the workload itself",
    `version: 1
workloads: [ { namespace: a, name: b, host: a/node }, { namespace: a, name: c, host: a/c } ]
`,
    [
      /workloads\[0\]\.host "a\/node": wanted the id of another workload in this file$/,
      /workloads\[1\]\.host "a\/c": wanted the id of another workload/,
    ],
  ],
  [
    "a time that ends before it begins",
    `version: 1
workloads: [ { namespace: a, name: b, addresses: [ { address: 10.0.0.1, from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z } ] } ]
`,
    [/addresses\[0\]\.until "2026-01-01T00:00:00Z": wanted a time after `from`/],
  ],
];

for (const [name, source, problems] of WRONG) {
  test(`parseInventory() refuses ${name}`, () => {
    const found = problemsOf(source);
    assert.equal(found.length, problems.length, found.join("\n"));
    for (const [i, pattern] of problems.entries()) assert.match(found[i] as string, pattern);
  });
}

test("parseInventory() lets an address move from one workload to another at an instant", () => {
  const { workloads } = parseInventory(`version: 1
workloads:
  - { namespace: a, name: one, addresses: [ { address: 10.0.0.1, until: 2026-01-01T10:00:00Z } ] }
  - { namespace: a, name: two, addresses: [ { address: 10.0.0.1, from: 2026-01-01T10:00:00Z } ] }
`);
  assert.equal(workloads.length, 2);
});

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const labels = fc.dictionary(word, fc.oneof(word, fc.constantFrom("", "1", "true", "null", "1e3", "no")), {
  maxKeys: 3,
  noNullPrototype: true,
});
const inventories: fc.Arbitrary<Inventory> = fc
  .uniqueArray(
    fc.record({ namespace: word, name: word, labels, ms: fc.nat(2 ** 40), width: fc.integer({ min: 1, max: 1e9 }) }),
    {
      selector: ({ namespace, name }) => `${namespace}/${name}`,
      maxLength: 6,
    },
  )
  .map((rows) => {
    const workloads = rows
      .map(({ namespace, name, labels: own, ms, width }, i) => ({
        id: `${namespace}/${name}`,
        namespace,
        name,
        kind: i % 2 === 0 ? "Workload" : "Pod",
        labels: own,
        addresses: [
          { address: `10.0.0.${i}`, fromUs: ms * 1000, untilUs: (ms + width) * 1000 },
          { address: `2001:db8::${i + 1}` },
        ],
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const namespaces = [...new Set(workloads.map((workload) => workload.namespace))].sort();
    return { ...EMPTY_INVENTORY, workloads, namespaces: namespaces.map((name) => ({ name, labels: { a: name } })) };
  });

test("formatInventory() writes what parseInventory() reads back", () => {
  fc.assert(
    fc.property(inventories, (inventory) => {
      const text = formatInventory(inventory);
      assert.deepEqual(parseInventory(text), inventory);
      assert.equal(formatInventory(parseInventory(text)), text);
    }),
  );
  const full = parseInventory(FULL);
  assert.deepEqual(parseInventory(formatInventory(full)), full);
});
