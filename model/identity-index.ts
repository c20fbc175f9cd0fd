import { formatAddress, type IpAddress, parseAddress } from "./address.js";
import { cidrContains, cidrOf, formatCidr, parseCidr } from "./cidr.js";
import type { EndIdentity } from "./conversation.js";
import type { Inventory, SharedAddress } from "./workload.js";

/** Names of addresses that no inventory claims; see docs/inventory.md. The first match counts. */
const BUILT_IN_GROUPS: readonly (readonly [name: string, cidrs: readonly string[]])[] = [
  ["unspecified", ["0.0.0.0/32", "::/128"]],
  ["broadcast", ["255.255.255.255/32"]],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]],
];
const BUILT_IN = BUILT_IN_GROUPS.map(([name, cidrs]) => [name, cidrs.map(parseCidr)] as const);

/** Name of the group that stands for a shared address with several members. */
export function sharedGroupName(shared: SharedAddress): string {
  return `shared:${shared.namespace}/${shared.name}`;
}

/** Ids of the workloads behind a group made by `sharedGroupName`; undefined for every other group. */
export function sharedMembers(inventory: Inventory, groupName: string): readonly string[] | undefined {
  if (!groupName.startsWith("shared:")) return undefined;
  return inventory.shared.find((shared) => sharedGroupName(shared) === groupName)?.members;
}

/** `"workload:<id>"` or `"group:<name>"`: one text per identity, which is also its node in the finest graph. */
export function identityKey(identity: EndIdentity): string {
  return identity.kind === "workload" ? `workload:${identity.id}` : `group:${identity.name}`;
}

/** Reads what `identityKey` wrote. @throws {SyntaxError} On anything else. */
export function parseIdentityKey(key: string): EndIdentity {
  if (key.startsWith("workload:")) return { kind: "workload", id: key.slice(9) };
  if (key.startsWith("group:")) return { kind: "group", name: key.slice(6) };
  throw new SyntaxError(`Cannot parse identity "${key}": wanted workload:<id> or group:<name>`);
}

/** Who had one address when: part `i` ends, exclusively, at `untilUs[i]`; the last one never ends. */
export interface AddressTimeline {
  readonly untilUs: readonly number[];
  readonly identities: readonly number[]; // as numbered by the caller
}

/** Makes the timelines of addresses under one inventory. Group lookup costs one map access per prefix length in use. */
export class AddressTimelines {
  private readonly claims = new Map<string, { fromUs: number; untilUs: number; identity: EndIdentity }[]>();
  private readonly groups = new Map<string, string>(); // canonical CIDR -> group
  private readonly prefixes: { readonly 4: number[]; readonly 6: number[] }; // longest first

  /** `numberOf` gives each identity the number that timelines carry. */
  constructor(
    inventory: Inventory,
    private readonly numberOf: (identity: EndIdentity) => number,
  ) {
    const claim = (address: string, fromUs: number, untilUs: number, identity: EndIdentity) => {
      const rows = this.claims.get(address);
      if (rows === undefined) this.claims.set(address, [{ fromUs, untilUs, identity }]);
      else rows.push({ fromUs, untilUs, identity });
    };
    for (const { id, addresses } of inventory.workloads) {
      for (const { address, fromUs, untilUs } of addresses) {
        const from = fromUs ?? Number.NEGATIVE_INFINITY;
        claim(address, from, untilUs ?? Number.POSITIVE_INFINITY, { kind: "workload", id });
      }
    }
    for (const shared of inventory.shared) {
      const [first, ...others] = shared.members;
      const identity: EndIdentity =
        first !== undefined && others.length === 0
          ? { kind: "workload", id: first }
          : { kind: "group", name: sharedGroupName(shared) };
      for (const address of shared.addresses) {
        claim(address, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, identity);
      }
    }
    const lengths = { 4: new Set<number>(), 6: new Set<number>() };
    for (const { name, cidrs } of inventory.groups) {
      for (const text of cidrs) {
        const cidr = parseCidr(text);
        this.groups.set(formatCidr(cidr), name);
        lengths[cidr.family].add(cidr.prefix);
      }
    }
    const descending = (set: Set<number>) => [...set].sort((a, b) => b - a);
    this.prefixes = { 4: descending(lengths[4]), 6: descending(lengths[6]) };
  }

  /** The group of an address that no workload claims. */
  groupOf(address: IpAddress): string {
    for (const prefix of this.prefixes[address.family]) {
      const name = this.groups.get(formatCidr(cidrOf(address, prefix)));
      if (name !== undefined) return name;
    }
    if (address.family === 6 && address.value >> 32n === 0xffffn) {
      return this.groupOf({ family: 4, value: address.value & 0xffffffffn });
    }
    return BUILT_IN.find(([, cidrs]) => cidrs.some((cidr) => cidrContains(cidr, address)))?.[0] ?? "external";
  }

  of(address: IpAddress): AddressTimeline {
    let claims = this.claims.size === 0 ? undefined : this.claims.get(formatAddress(address));
    if (claims === undefined && address.family === 6 && address.value >> 32n === 0xffffn) {
      claims = this.claims.get(formatAddress({ family: 4, value: address.value & 0xffffffffn }));
    }
    const nobody = this.numberOf({ kind: "group", name: this.groupOf(address) });
    if (claims === undefined) return { untilUs: [Number.POSITIVE_INFINITY], identities: [nobody] };
    const untilUs: number[] = [];
    const identities: number[] = [];
    const add = (until: number, identity: number) => {
      if (identities.at(-1) === identity) untilUs[untilUs.length - 1] = until;
      else {
        untilUs.push(until);
        identities.push(identity);
      }
    };
    let reached = Number.NEGATIVE_INFINITY;
    for (const { fromUs, untilUs: until, identity } of [...claims].sort((a, b) => (a.fromUs < b.fromUs ? -1 : 1))) {
      if (until <= reached) continue;
      if (fromUs > reached) add(fromUs, nobody);
      add(until, this.numberOf(identity));
      reached = until;
    }
    if (reached < Number.POSITIVE_INFINITY) add(Number.POSITIVE_INFINITY, nobody);
    return { untilUs, identities };
  }
}

/**
 * Address number and time to identity number, without an object or a string per lookup: nearly every address has one
 * timeline part, and where it has more, the part found last is tried before a binary search.
 */
export class IdentityIndex {
  private readonly single: number[] = []; // the identity where there is one part, else -1
  private readonly many = new Map<number, { readonly timeline: AddressTimeline; last: number }>();

  /** Addresses get the numbers 0, 1, 2 ... in the order they are added. */
  add(timeline: AddressTimeline): number {
    const isSingle = timeline.identities.length === 1;
    if (!isSingle) this.many.set(this.single.length, { timeline, last: 0 });
    return this.single.push(isSingle ? (timeline.identities[0] as number) : -1) - 1;
  }

  timeline(address: number): AddressTimeline {
    const many = this.many.get(address);
    if (many !== undefined) return many.timeline;
    return { untilUs: [Number.POSITIVE_INFINITY], identities: [this.single[address] as number] };
  }

  identityAt(address: number, timeUs: number): number {
    const only = this.single[address] as number;
    if (only >= 0) return only;
    const entry = this.many.get(address) as { timeline: AddressTimeline; last: number };
    const { untilUs, identities } = entry.timeline;
    const { last } = entry;
    if (timeUs < (untilUs[last] as number) && (last === 0 || timeUs >= (untilUs[last - 1] as number))) {
      return identities[last] as number;
    }
    let low = 0;
    let high = untilUs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (timeUs < (untilUs[middle] as number)) high = middle;
      else low = middle + 1;
    }
    entry.last = low;
    return identities[low] as number;
  }
}

/** Identity of one address at one time; for single questions, not for streams of rows. */
export function identityAt(inventory: Inventory, address: string, timeUs: number): EndIdentity {
  const known: EndIdentity[] = [];
  const timelines = new AddressTimelines(inventory, (identity) => known.push(identity) - 1);
  const index = new IdentityIndex();
  return known[index.identityAt(index.add(timelines.of(parseAddress(address))), timeUs)] as EndIdentity;
}
