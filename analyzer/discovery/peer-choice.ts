import { ADDRESS_BITS } from "../../model/address.js";
import { parseCidr } from "../../model/cidr.js";
import type { AddressGroup, Inventory } from "../../model/workload.js";
import type { Peer } from "../../policy/peer.js";
import { insidePrefixes } from "./address-class.js";
import { coverAddresses } from "./cidr-cover.js";
import type { Endpoint } from "./endpoint.js";
import type { DiscoveryOptions } from "./options.js";
import type { Role } from "./roles.js";
import type { SelectorSearch } from "./selector-search.js";

/** How one end of a rule is written down, and what that really permits. */
export interface PeerChoice {
  readonly peer: Peer;
  readonly permits: readonly string[]; // keys of the endpoints it stands for, sorted: those meant and those unavoidable
  readonly unseenAddresses: number; // further addresses it permits that no known endpoint has
  readonly note: string | undefined; // why it permits more than was meant, a sentence without full stop
  readonly group: AddressGroup | undefined; // to be added to the policy set
}

export interface PeerContext {
  readonly inventory: Inventory;
  readonly selectors: SelectorSearch;
  readonly fixedAddresses: ReadonlyMap<string, readonly string[]>; // see fixedAddressesOf
  readonly options: DiscoveryOptions;
}

const keysOf = (endpoints: readonly Endpoint[]) => endpoints.map(({ key }) => key).sort();

/**
 * Writes a set of endpoints of one role as a peer.
 * @param name for a group of addresses, should one be needed; unique in the policy set
 */
export function choosePeer(members: readonly Endpoint[], role: Role, name: string, context: PeerContext): PeerChoice {
  const ids = new Set(members.flatMap((member) => (member.kind === "workload" ? member.id : [])));
  if (ids.size === 0) return addressPeer(members, role, name, context);
  const selector = context.selectors.exact(ids);
  if (selector !== undefined) {
    const permits = keysOf(members);
    return { peer: { kind: "workloads", selector }, permits, unseenAddresses: 0, note: undefined, group: undefined };
  }
  if (role.basis !== "labels") {
    const fixed = ownAddresses(ids, context.fixedAddresses);
    if (fixed !== undefined)
      return { ...cidrPeer(fixed, name), permits: keysOf(members), unseenAddresses: 0, note: undefined };
  }
  const { selector: closest, matched } = context.selectors.closest(ids);
  const extra = matched.filter((id) => !ids.has(id));
  return {
    peer: { kind: "workloads", selector: closest },
    permits: matched.map((id) => `w:${id}`),
    unseenAddresses: 0,
    note: `no stable label tells ${listed([...ids].sort())} from ${listed(extra)}`,
    group: undefined,
  };
}

/** At most three names, then how many more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** Addresses that are and always were these workloads' own, or `undefined` if one has none. */
function ownAddresses(ids: ReadonlySet<string>, fixed: PeerContext["fixedAddresses"]): string[] | undefined {
  const own = [...ids].sort().map((id) => fixed.get(id) ?? []);
  return own.some((addresses) => addresses.length === 0) ? undefined : own.flat();
}

/** For each workload the addresses that it holds now, for good, and that nobody else ever held. */
export function fixedAddressesOf({ workloads }: Inventory): Map<string, string[]> {
  const holders = new Map<string, Set<string>>();
  for (const { id, addresses } of workloads) {
    for (const { address } of addresses) holders.set(address, (holders.get(address) ?? new Set()).add(id));
  }
  return new Map(
    workloads.map(({ id, addresses }) => [
      id,
      addresses
        .filter(({ address, untilUs }) => untilUs === undefined && holders.get(address)?.size === 1)
        .map(({ address }) => address),
    ]),
  );
}

function cidrPeer(addresses: readonly string[], name: string): Pick<PeerChoice, "peer" | "group"> {
  return peerOfCidrs(coverAddresses(addresses, 1).cidrs, name);
}

function peerOfCidrs(cidrs: readonly string[], name: string): Pick<PeerChoice, "peer" | "group"> {
  return cidrs.length === 1
    ? { peer: { kind: "cidr", cidr: cidrs[0] as string, except: [] }, group: undefined }
    : { peer: { kind: "group", name }, group: { name, cidrs } };
}

function sizeOf(cidrs: readonly string[]): number {
  return cidrs.reduce((sum, text) => {
    const { family, prefix } = parseCidr(text);
    return sum + 2 ** (ADDRESS_BITS[family] - prefix);
  }, 0);
}

function addressPeer(
  members: readonly Endpoint[],
  role: Role,
  name: string,
  { inventory, options }: PeerContext,
): PeerChoice {
  const addresses = members.flatMap((member) => (member.kind === "address" ? member.address : []));
  const permits = keysOf(members);
  const groupName = members[0]?.kind === "address" ? members[0].group : "";
  const declared = inventory.groups.find((group) => group.name === groupName);
  if (declared !== undefined && addresses.length >= options.supportClients) {
    const unseenAddresses = sizeOf(declared.cidrs) - addresses.length;
    const note =
      unseenAddresses > 0
        ? `the group ${groupName} is taken as a whole, ${listed(declared.cidrs)}, of which ${addresses.length} addresses were seen`
        : undefined;
    return { peer: { kind: "group", name: groupName }, permits, unseenAddresses, note, group: declared };
  }
  const { cidrs, unseen } = coverAddresses(addresses, role.basis === "outside" ? options.prefixDensity : 1);
  const note =
    unseen > 0 ? `prefixes of which at least half was seen hold ${unseen} addresses that were not` : undefined;
  return { ...peerOfCidrs(cidrs, name), permits, unseenAddresses: unseen, note };
}

/** Everybody outside, for a service that plainly is public: one peer per address family that was seen. */
export function publicPeers(members: readonly Endpoint[], networks: number): PeerChoice[] {
  return ([4, 6] as const).flatMap((family) => {
    const seen = members.filter(
      (member) => member.kind === "address" && member.address.includes(":") === (family === 6),
    );
    if (seen.length === 0) return [];
    const except = insidePrefixes(family);
    return {
      peer: { kind: "cidr", cidr: family === 4 ? "0.0.0.0/0" : "::/0", except },
      permits: keysOf(seen),
      unseenAddresses: 2 ** ADDRESS_BITS[family] - sizeOf(except) - seen.length,
      note: `clients from ${networks} outside networks used it, so it is taken for public: every address that is not private may`,
      group: undefined,
    };
  });
}
