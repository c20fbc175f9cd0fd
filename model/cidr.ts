import { ADDRESS_BITS, compareAddresses, formatAddress, type IpAddress, tryParseAddress } from "./address.js";

/** A prefix; `base` has no bits set after the first `prefix` ones. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

/** The addresses of one family from `first` to `last`, both included. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** The bits after each prefix length: made once, because a large policy asks for them by the hundred thousand. */
const HOST_MASKS = {
  4: Array.from({ length: 33 }, (_, prefix) => (1n << BigInt(32 - prefix)) - 1n),
  6: Array.from({ length: 129 }, (_, prefix) => (1n << BigInt(128 - prefix)) - 1n),
} as const;

function hostMask(family: 4 | 6, prefix: number): bigint {
  return HOST_MASKS[family][prefix] as bigint;
}

/** The prefix of `length` bits that holds `address`. */
export function cidrOf(address: IpAddress, length: number = ADDRESS_BITS[address.family]): Cidr {
  return { family: address.family, base: address.value & ~hostMask(address.family, length), prefix: length };
}

/**
 * Reads `address/prefix`, or a bare address as its own /32 or /128. Host bits are cleared, as every
 * plane we read from does (`10.0.0.7/24` means `10.0.0.0/24`).
 * @throws {SyntaxError} If the address or the prefix length is not one.
 */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf("/");
  const address = tryParseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) {
    throw new SyntaxError(`Cannot parse CIDR "${text}": wanted an address and a prefix length such as 10.0.0.0/8`);
  }
  const bits = ADDRESS_BITS[address.family];
  if (slash < 0) return cidrOf(address, bits);
  const digits = text.slice(slash + 1);
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(prefix >= 0 && prefix <= bits)) {
    throw new SyntaxError(`Cannot parse CIDR "${text}": prefix must be 0..${bits}`);
  }
  return cidrOf(address, prefix);
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.base })}/${cidr.prefix}`;
}

export function rangeOfCidr(cidr: Cidr): AddressRange {
  return { family: cidr.family, first: cidr.base, last: cidr.base | hostMask(cidr.family, cidr.prefix) };
}

export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  return cidr.family === address.family && (address.value & ~hostMask(cidr.family, cidr.prefix)) === cidr.base;
}

/** Whether every address of `inner` lies in `outer`. */
export function cidrCovers(outer: Cidr, inner: Cidr): boolean {
  return inner.prefix >= outer.prefix && cidrContains(outer, { family: inner.family, value: inner.base });
}

export function compareCidrs(a: Cidr, b: Cidr): number {
  const byBase = compareAddresses({ family: a.family, value: a.base }, { family: b.family, value: b.base });
  return byBase !== 0 ? byBase : a.prefix - b.prefix;
}

/** The fewest prefixes whose union is exactly `range`, in ascending order. */
export function cidrsOfRange(range: AddressRange): Cidr[] {
  const bits = ADDRESS_BITS[range.family];
  const cidrs: Cidr[] = [];
  let first = range.first;
  while (first <= range.last) {
    let prefix = bits;
    // Grow the block while it stays aligned at `first` and inside the range.
    while (prefix > 0) {
      const mask = hostMask(range.family, prefix - 1);
      if ((first & mask) !== 0n || (first | mask) > range.last) break;
      prefix--;
    }
    cidrs.push({ family: range.family, base: first, prefix });
    first = (first | hostMask(range.family, prefix)) + 1n;
  }
  return cidrs;
}
