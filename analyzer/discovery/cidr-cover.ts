import { ADDRESS_BITS, type IpAddress, parseAddress } from "../../model/address.js";
import { type Cidr, cidrOf, compareCidrs, formatCidr } from "../../model/cidr.js";

/** Prefixes are never wider than this: beyond lies somebody else's network. */
const WIDEST = { 4: 24, 6: 64 } as const;

export interface AddressCover {
  readonly cidrs: readonly string[]; // canonical text, sorted
  readonly unseen: number; // addresses in them that were not seen
}

/**
 * The widest prefixes of which at least `density` was seen, each as small as the addresses in it allow: with 0.5, seven
 * addresses of a /29 become the /29, two far apart stay /32s. A prefix never crosses a /24 (IPv4) or /64 (IPv6).
 */
export function coverAddresses(addresses: readonly string[], density: number): AddressCover {
  const cidrs: Cidr[] = [];
  let unseen = 0n;
  for (const family of [4, 6] as const) {
    const parsed = [...new Set(addresses)].map(parseAddress).filter((address) => address.family === family);
    const values = parsed.map(({ value }) => value).sort((a, b) => (a < b ? -1 : 1));
    for (let start = 0; start < values.length; ) {
      const [cidr, count] = widestFrom(family, values, start, density);
      cidrs.push(cidr);
      unseen += (1n << BigInt(ADDRESS_BITS[family] - cidr.prefix)) - BigInt(count);
      start += count;
    }
  }
  return { cidrs: cidrs.sort(compareCidrs).map(formatCidr), unseen: Number(unseen) };
}

/** The widest dense prefix whose first seen address is `values[start]`, and how many seen addresses it holds. */
function widestFrom(family: 4 | 6, values: readonly bigint[], start: number, density: number): [Cidr, number] {
  const address: IpAddress = { family, value: values[start] as bigint };
  const bits = ADDRESS_BITS[family];
  let best: [Cidr, number] = [cidrOf(address, bits), 1];
  for (let prefix = bits - 1; prefix >= WIDEST[family]; prefix--) {
    const size = 1n << BigInt(bits - prefix);
    const cidr = cidrOf(address, prefix);
    // An address before the start belongs to an earlier prefix, so a wider one would overlap it.
    if (start > 0 && (values[start - 1] as bigint) >= cidr.base) break;
    let count = 0;
    while (start + count < values.length && (values[start + count] as bigint) < cidr.base + size) count++;
    if (count > best[1] && count >= density * Number(size)) best = [cidr, count];
  }
  return best;
}
