import { formatAddress, parseAddress } from "../model/address.js";
import type { VerdictPermit } from "../model/verdict-report.js";
import type { HostDirection, HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import { MISS_COUNTERS } from "../policy/formats/nftables/miss-text.js";
import { kernelSets } from "../policy/formats/nftables/nft-text.js";
import { type CountBaseline, emptyBaseline } from "./count-baseline.js";
import type { ScopeCounts } from "./enforcer-kernel.js";
import type { KernelListing, ListedElement } from "./kernel-listing.js";

type Edge = ScopeCounts["edges"][number];

const EDGE_SET = /^(seen|denied)_(in|out|from|to)[46](_icmp|_protocol)?_([a-z0-9-]+)$/;
const PERMIT_SET = /^((?:in|out|from|to)[46]_(?:local-)?(?:ports|icmp|protocol))_([a-z0-9-]+)_g\d+(?:_r\d+)?$/;
const MISS_COUNTER = /^c_(?:in|out|from|to)_([a-z]+)_([a-z0-9-]+)$/;

/** What was added; a number that went down belongs to something that was made anew. */
function grown(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}

/** @returns undefined for an element that no rule of ours can have added */
function edgeOf(set: RegExpExecArray, { parts }: ListedElement): Omit<Edge, "attempts"> | undefined {
  const [, what, way, kind] = set as unknown as [string, "seen" | "denied", HostDirection, string | undefined];
  const [client = "", server = "", third = "", fourth = "0"] = parts;
  const icmpProtocol = client.includes(":") ? 58 : 1;
  const isIcmp = kind === "_icmp";
  const protocol = isIcmp ? icmpProtocol : Number(third);
  const port = isIcmp ? (Number(third) << 8) | Number(fourth) : Number(fourth);
  if (!Number.isInteger(protocol) || !Number.isInteger(port)) return undefined;
  return {
    direction: way === "in" || way === "to" ? "ingress" : "egress",
    client: formatAddress(parseAddress(client)),
    server: formatAddress(parseAddress(server)),
    protocol,
    port,
    verdict: what === "seen" ? "audited" : "denied",
  };
}

/** Rules behind each element of the permit sets of `rulesets`, where its comment is too short for all of them. */
function rulesByKey(rulesets: readonly HostRuleset[]): Map<string, readonly string[]> {
  return new Map(
    rulesets.flatMap(({ policySet, permits }) =>
      permits
        .flatMap(kernelSets)
        .flatMap(({ stem, elements }) =>
          elements.map(({ key, rules }) => [`${policySet} ${stem} ${key}`, rules] as const),
        ),
    ),
  );
}

/** Hits of permits since `before`, by scope and rule; `after` is told how far they are. */
export function countPermits(
  before: CountBaseline,
  listing: KernelListing,
  rulesets: readonly HostRuleset[],
  after: Record<string, number>,
): Map<string, Map<string, number>> {
  const hits = new Map<string, Map<string, number>>();
  let byKey: Map<string, readonly string[]> | undefined;
  for (const [name, elements] of listing.sets) {
    const [, stem, scope] = PERMIT_SET.exec(name) ?? [];
    if (scope === undefined) continue;
    const ofScope = hits.get(scope) ?? new Map<string, number>();
    hits.set(scope, ofScope);
    for (const { key, packets, comment } of elements) {
      if (packets === 0) continue;
      const id = `${name} ${key}`;
      after[id] = packets;
      const added = grown(before.permits[id], packets);
      if (added === 0) continue;
      const isCut = comment.includes("+");
      if (isCut) byKey ??= rulesByKey(rulesets);
      const rules = (isCut ? byKey?.get(`${scope} ${stem} ${key}`) : undefined) ?? comment.split(",");
      for (const rule of rules) ofScope.set(rule, (ofScope.get(rule) ?? 0) + added);
    }
  }
  return hits;
}

export interface Counted {
  readonly counts: readonly ScopeCounts[]; // by scope
  readonly after: CountBaseline;
}

/**
 * What the kernel counted since `before`. Counters are to be read before the sets: then packets that come in between make
 * what is recorded larger than what is missed, which the next reading settles, and nothing is ever told as unrecorded
 * that was not.
 *
 * An element that nobody met for an hour ends, and begins at 0 when it comes again. Where readings are more than that
 * apart, what it counted in between may be told as unrecorded; it is never told twice.
 * @param before of this boot and table, else it counts as empty
 * @param generations of the scopes in force
 */
export function countEdges(
  before: CountBaseline,
  boot: string,
  counters: KernelListing,
  listing: KernelListing,
  rulesets: readonly HostRuleset[],
): Counted {
  const isSame = before.boot === boot && before.handle === listing.handle;
  const from: CountBaseline = isSame ? before : { ...emptyBaseline(boot, listing.handle), reaped: before.reaped };
  const after = emptyBaseline(boot, listing.handle);
  const edges = new Map<string, Map<string, Edge>>();
  for (const [name, elements] of listing.sets) {
    const match = EDGE_SET.exec(name);
    const scope = match?.[4];
    if (match === null || scope === undefined) continue;
    const ofScope = edges.get(scope) ?? new Map<string, Edge>();
    edges.set(scope, ofScope);
    for (const element of elements) {
      const id = `${name} ${element.key}`;
      after.edges[id] = element.packets;
      const attempts = grown(from.edges[id], element.packets);
      const edge = attempts === 0 ? undefined : edgeOf(match, element);
      if (edge === undefined) continue;
      const key = JSON.stringify(edge);
      ofScope.set(key, { ...edge, attempts: (ofScope.get(key)?.attempts ?? 0) + attempts });
    }
  }
  const permits = countPermits(from, listing, rulesets, after.permits);
  const sums = new Map<string, Record<(typeof MISS_COUNTERS)[number], number>>();
  let [invalid, midstream] = [0, 0];
  for (const [name, packets] of counters.counters) {
    after.counters[name] = packets;
    const added = grown(from.counters[name], packets);
    if (name === "c_invalid") invalid = added;
    if (name === "c_midstream") midstream = added;
    const [, counter, scope] = MISS_COUNTER.exec(name) ?? [];
    if (counter === undefined || scope === undefined) continue;
    const sum = sums.get(scope) ?? { missed: 0, repeated: 0, recorded: 0, denied: 0 };
    for (const each of MISS_COUNTERS) if (each === counter) sum[each] += added;
    sums.set(scope, sum);
  }
  const counts = rulesets.map(({ policySet: scope, generation }): ScopeCounts => {
    const sum = sums.get(scope) ?? { missed: 0, repeated: 0, recorded: 0, denied: 0 };
    const found = [...(edges.get(scope) ?? new Map<string, Edge>())].sort(([a], [b]) => (a < b ? -1 : 1));
    const told = from.told[scope] ?? { missed: 0, repeated: 0, attributed: 0, unrecorded: 0 };
    const now = {
      missed: told.missed + sum.missed,
      repeated: told.repeated + sum.repeated,
      attributed: told.attributed + found.reduce((total, [, { attempts }]) => total + attempts, 0),
    };
    const unrecorded = Math.max(0, now.missed - now.repeated - now.attributed - told.unrecorded);
    after.told[scope] = { ...now, unrecorded: told.unrecorded + unrecorded };
    return {
      scope,
      generation,
      counters: { ...sum, invalid, midstream },
      unrecorded,
      edges: found.map(([, edge]) => edge),
      permits: hitsOf(permits.get(scope), from.reaped[scope]),
    };
  });
  return { counts, after };
}

function hitsOf(live: ReadonlyMap<string, number> = new Map(), reaped: Record<string, number> = {}): VerdictPermit[] {
  const all = new Map(live);
  for (const [rule, packets] of Object.entries(reaped)) all.set(rule, (all.get(rule) ?? 0) + packets);
  return [...all]
    .filter(([, packets]) => packets > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([rule, packets]) => ({ rule, packets }));
}
