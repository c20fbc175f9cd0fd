import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseAddress } from "../../model/address.js";
import type { EndIdentity } from "../../model/conversation.js";
import {
  AddressTimelines,
  IdentityIndex,
  identityAt,
  identityKey,
  parseIdentityKey,
  sharedMembers,
} from "../../model/identity-index.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../model/workload.js";

function workload(id: string, addresses: Workload["addresses"]): Workload {
  const [namespace = "", name = ""] = id.split("/");
  return { id, namespace, name, kind: "Host", labels: {}, addresses };
}

const INVENTORY: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [
    workload("shop/a", [{ address: "10.0.0.1", untilUs: 1000 }, { address: "10.0.0.2" }]),
    workload("shop/b", [{ address: "10.0.0.1", fromUs: 1500, untilUs: 2000 }]),
  ],
  groups: [
    { name: "site", cidrs: ["10.0.0.0/8"] },
    { name: "lab", cidrs: ["10.1.0.0/16", "2001:db8::/32"] },
  ],
  shared: [
    { name: "vip", namespace: "shop", addresses: ["10.0.0.80"], members: ["shop/a", "shop/b"] },
    { name: "one", namespace: "shop", addresses: ["10.0.0.81"], members: ["shop/b"] },
  ],
};

const at = (address: string, timeUs = 0, inventory = INVENTORY) => identityKey(identityAt(inventory, address, timeUs));

test("an address belongs to a workload from its start, inclusive, until its end, exclusive, and to a group between", () => {
  assert.equal(at("10.0.0.1", -1e15), "workload:shop/a");
  assert.equal(at("10.0.0.1", 999), "workload:shop/a");
  assert.equal(at("10.0.0.1", 1000), "group:site");
  assert.equal(at("10.0.0.1", 1500), "workload:shop/b");
  assert.equal(at("10.0.0.1", 1999), "workload:shop/b");
  assert.equal(at("10.0.0.1", 2000), "group:site");
});

test("a shared address is its only member, or a group that names its members", () => {
  assert.equal(at("10.0.0.81"), "workload:shop/b");
  assert.equal(at("10.0.0.80"), "group:shared:shop/vip");
  assert.deepEqual(sharedMembers(INVENTORY, "shared:shop/vip"), ["shop/a", "shop/b"]);
  assert.equal(sharedMembers(INVENTORY, "site"), undefined);
});

const GROUPS: readonly [address: string, group: string][] = [
  ["10.1.2.3", "lab"],
  ["10.2.2.3", "site"],
  ["2001:db8::1", "lab"],
  ["192.168.1.1", "private"],
  ["172.31.255.255", "private"],
  ["100.64.0.1", "private"],
  ["fd00::1", "private"],
  ["127.0.0.53", "loopback"],
  ["::1", "loopback"],
  ["169.254.169.254", "link-local"],
  ["fe80::1", "link-local"],
  ["224.0.0.251", "multicast"],
  ["ff02::1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["0.0.0.0", "unspecified"],
  ["::", "unspecified"],
  ["8.8.8.8", "external"],
  ["2606:4700::1", "external"],
  ["::ffff:192.168.0.1", "private"],
  ["::ffff:10.1.0.1", "lab"],
];

for (const [address, group] of GROUPS) {
  test(`${address} without a workload is in the group ${group}`, () => assert.equal(at(address), `group:${group}`));
}

test("an IPv4-mapped address is the workload that has the IPv4 address inside it", () => {
  assert.equal(at("::ffff:10.0.0.2"), "workload:shop/a");
});

test("identity keys read back what they name, and nothing else", () => {
  for (const identity of [
    { kind: "workload", id: "a/b" },
    { kind: "group", name: "shared:a/b" },
  ] as EndIdentity[]) {
    assert.deepEqual(parseIdentityKey(identityKey(identity)), identity);
  }
  assert.throws(() => parseIdentityKey("a/b"), SyntaxError);
});

test("the index agrees with a linear search over the intervals, in any order of times", () => {
  const parts = fc.array(fc.record({ gap: fc.nat(20), length: fc.integer({ min: 1, max: 30 }) }), { maxLength: 8 });
  fc.assert(
    fc.property(parts, fc.array(fc.integer({ min: -10, max: 500 })), (steps, times) => {
      let now = 0;
      const workloads = steps.map(({ gap, length }, i) => {
        const fromUs = now + gap;
        now = fromUs + length;
        return workload(`n/w${i}`, [{ address: "10.9.9.9", fromUs, untilUs: now }]);
      });
      const known: string[] = [];
      const numberOf = (identity: EndIdentity) => {
        const key = identityKey(identity);
        return known.includes(key) ? known.indexOf(key) : known.push(key) - 1;
      };
      const timelines = new AddressTimelines({ ...EMPTY_INVENTORY, workloads }, numberOf);
      const index = new IdentityIndex();
      const address = index.add(timelines.of(parseAddress("10.9.9.9")));
      for (const time of times) {
        const owner = workloads.find(({ addresses: [interval] }) => {
          return time >= (interval?.fromUs ?? 0) && time < (interval?.untilUs ?? 0);
        });
        const wanted = owner === undefined ? "group:private" : `workload:${owner.id}`;
        assert.equal(known[index.identityAt(address, time)], wanted);
      }
    }),
  );
});
