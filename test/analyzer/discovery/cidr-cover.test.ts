import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { coverAddresses } from "../../../analyzer/discovery/cidr-cover.js";
import { parseAddress } from "../../../model/address.js";
import { cidrContains, cidrCovers, parseCidr } from "../../../model/cidr.js";

test("seven of eight addresses become one prefix, strangers stay alone, families stay apart", () => {
  const seven = [1, 2, 3, 4, 5, 6, 7].map((i) => `192.0.2.${i}`);
  assert.deepEqual(coverAddresses([...seven, "192.0.2.200", "2001:db8::1"], 0.5), {
    cidrs: ["192.0.2.0/29", "192.0.2.200/32", "2001:db8::1/128"],
    unseen: 1,
  });
});

test("with density 1 nothing unseen is ever covered", () => {
  assert.deepEqual(coverAddresses(["10.0.0.0", "10.0.0.1", "10.0.0.2"], 1), {
    cidrs: ["10.0.0.0/31", "10.0.0.2/32"],
    unseen: 0,
  });
});

const address = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 255 }))
  .map(([c, d]) => `10.0.${c}.${d}`);

test("prefixes cover exactly what was seen and as much as they say, half of each was seen, and none spans two /24", () => {
  fc.assert(
    fc.property(fc.uniqueArray(address, { minLength: 1, maxLength: 60 }), (addresses) => {
      const { cidrs, unseen } = coverAddresses(addresses, 0.5);
      const parsed = cidrs.map(parseCidr);
      let size = 0;
      for (const cidr of parsed) {
        const inside = addresses.filter((text) => cidrContains(cidr, parseAddress(text))).length;
        assert.ok(cidr.prefix >= 24 && 2 * inside >= 2 ** (32 - cidr.prefix));
        assert.ok(parsed.every((other) => other === cidr || !cidrCovers(other, cidr)));
        size += 2 ** (32 - cidr.prefix);
      }
      assert.equal(size - addresses.length, unseen);
      assert.ok(addresses.every((text) => parsed.some((cidr) => cidrContains(cidr, parseAddress(text)))));
    }),
  );
});
