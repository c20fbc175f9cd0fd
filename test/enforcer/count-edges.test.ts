import assert from "node:assert/strict";
import test from "node:test";
import { emptyBaseline } from "../../enforcer/count-baseline.js";
import { countEdges } from "../../enforcer/count-edges.js";
import { readListing } from "../../enforcer/kernel-listing.js";
import { parseBaseline } from "../../enforcer/parse-baseline.js";
import { kernelSets } from "../../policy/formats/nftables/nft-text.js";
import { scope, wanted } from "./sample-order.js";

interface Kernel {
  readonly handle?: number;
  readonly counters: Record<string, number>;
  readonly sets?: Record<string, Record<string, number>>;
}

/** What nft lists of a table whose sets hold these elements, by key, with these packets. */
function listing({ handle = 1, counters, sets = {} }: Kernel, comment = "") {
  const found = readListing([
    { metainfo: {} },
    { table: { family: "inet", name: "portolan", handle } },
    ...Object.entries(counters).map(([name, packets]) => ({ counter: { name, packets, bytes: 0 } })),
    ...Object.entries(sets).map(([name, elements]) => ({
      set: {
        name,
        timeout: 3600,
        elem: Object.entries(elements).map(([key, packets]) => ({
          elem: { val: { concat: key.split(" . ") }, counter: { packets, bytes: 0 }, comment, expires: 3599 },
        })),
      },
    })),
  ]);
  assert.ok(found !== undefined);
  return found;
}

const RULESETS = wanted([scope("shop", 4)]).plan.scopes;

function count(before: ReturnType<typeof emptyBaseline>, kernel: Kernel) {
  const now = listing(kernel);
  const { counts, after } = countEdges(before, "boot", now, now, RULESETS);
  const [first] = counts;
  assert.ok(first !== undefined);
  return { ...first, after };
}

const counters = (missed: number, repeated: number, recorded: number, denied = 0) => ({
  c_in_missed_shop: missed,
  c_in_repeated_shop: repeated,
  c_in_recorded_shop: recorded,
  c_in_denied_shop: denied,
});

const EDGE = "10.0.0.1 . 10.88.0.1 . 6 . 443";
const START = emptyBaseline("boot", 1);

test("countEdges() tells what was added since, edge by edge, with its verdict", () => {
  const first = count(START, { counters: counters(5, 2, 3), sets: { seen_in4_shop: { [EDGE]: 3 } } });
  assert.deepEqual(first.edges, [
    {
      direction: "ingress",
      client: "10.0.0.1",
      server: "10.88.0.1",
      protocol: 6,
      port: 443,
      verdict: "audited",
      attempts: 3,
    },
  ]);
  assert.deepEqual([first.generation, first.counters.missed, first.unrecorded], [4, 5, 0]);
  const second = count(first.after, {
    counters: counters(9, 3, 6, 4),
    sets: { seen_in4_shop: { [EDGE]: 4 }, denied_in4_shop: { [EDGE]: 2 } },
  });
  assert.deepEqual(
    second.edges.map(({ verdict, attempts }) => [verdict, attempts]),
    [
      ["audited", 1],
      ["denied", 2],
    ],
  );
  assert.deepEqual(second.counters, { missed: 4, repeated: 1, recorded: 3, denied: 4, invalid: 0, midstream: 0 });
  assert.deepEqual(
    count(second.after, {
      counters: counters(9, 3, 6, 4),
      sets: { seen_in4_shop: { [EDGE]: 4 }, denied_in4_shop: { [EDGE]: 2 } },
    }).edges,
    [],
  );
});

test("countEdges() begins an element again that ended and came back, and a table that was made anew", () => {
  const first = count(START, { counters: counters(7, 0, 7), sets: { seen_in4_shop: { [EDGE]: 7 } } });
  const again = count(first.after, { counters: counters(9, 0, 9), sets: { seen_in4_shop: { [EDGE]: 2 } } });
  assert.deepEqual([again.edges[0]?.attempts, again.unrecorded], [2, 0]);
  const anew = count(first.after, { handle: 2, counters: counters(8, 0, 8), sets: { seen_in4_shop: { [EDGE]: 8 } } });
  assert.deepEqual([anew.edges[0]?.attempts, anew.counters.missed], [8, 8]);
});

test("countEdges() tells what no set had room for, once, and nothing that only came between two readings", () => {
  const first = count(START, { counters: counters(10, 0, 6), sets: { seen_in4_shop: { [EDGE]: 6 } } });
  assert.equal(first.unrecorded, 4);
  // The counters were read before a packet that the set already shows: that is no attempt less.
  const between = count(first.after, { counters: counters(10, 0, 6), sets: { seen_in4_shop: { [EDGE]: 7 } } });
  assert.deepEqual([between.unrecorded, between.edges[0]?.attempts], [0, 1]);
  const later = count(between.after, { counters: counters(11, 0, 7), sets: { seen_in4_shop: { [EDGE]: 7 } } });
  assert.equal(later.unrecorded, 0);
  const full = count(later.after, { counters: counters(13, 0, 7), sets: { seen_in4_shop: { [EDGE]: 7 } } });
  assert.equal(full.unrecorded, 2);
});

test("countEdges() reads ICMP by type and code, protocols by number, IPv6 in canonical text, and each direction", () => {
  const { edges } = count(START, {
    counters: counters(4, 0, 4),
    sets: {
      seen_in4_icmp_shop: { "10.0.0.1 . 10.88.0.1 . 8 . 0": 1 },
      seen_in6_icmp_shop: { "fd00::1 . fd88::1 . 128 . 1": 1 },
      seen_out6_protocol_shop: { "fd88:0::1 . fd00::1 . 47": 1 },
      seen_from4_shop: { "10.89.0.1 . 10.0.0.1 . 17 . 53": 1 },
    },
  });
  assert.deepEqual(
    edges.map(({ direction, client, protocol, port }) => [direction, client, protocol, port]),
    [
      ["egress", "10.89.0.1", 17, 53],
      ["egress", "fd88::1", 47, 0],
      ["ingress", "10.0.0.1", 1, 8 << 8],
      ["ingress", "fd00::1", 58, (128 << 8) | 1],
    ],
  );
});

test("parseBaseline() reads what was kept, and refuses anything else in one line", () => {
  const { after } = count(START, { counters: counters(1, 0, 1), sets: { seen_in4_shop: { [EDGE]: 1 } } });
  assert.deepEqual(parseBaseline(JSON.stringify(after)), after);
  for (const text of ["", "{}", JSON.stringify({ ...after, counters: { a: -1 } })]) {
    assert.throws(() => parseBaseline(text), { name: "SyntaxError", message: /^Cannot read the baseline/ });
  }
});

test("countEdges() knows the rules of an element whose comment has no room for all, and which set it is in", () => {
  const ids = Array.from({ length: 30 }, (_, i) => `rule-number-${i}`);
  const shop = scope("shop", 4);
  const all = { ...shop, rules: ids.map((id) => ({ ...shop.rules[0]!, id })) };
  const { scopes } = wanted([all]).plan;
  const [held] = kernelSets(scopes[0]!.permits[0]!);
  const permits = { [`${held?.stem}_shop_g4`]: { [held?.elements[0]?.key ?? ""]: 2 } };
  const now = listing({ counters: counters(0, 0, 0), sets: permits }, "rule-number-0,+29");
  const { counts } = countEdges(START, "boot", now, now, scopes);
  assert.deepEqual(
    counts[0]?.permits,
    [...ids].sort().map((rule) => ({ rule, packets: 2 })),
  );
});
