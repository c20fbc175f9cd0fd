import type { IpAddress } from "../../model/address.js";
import { type Cidr, rangeOfCidr } from "../../model/cidr.js";

/**
 * All addresses as points of one line: IPv4 at 0 .. 2^32 - 1, IPv6 from 2^32 on. An interval that something names never
 * crosses the border between the two.
 */
export const FIRST_IPV6 = 1n << 32n;
export const ADDRESS_LINE_END = FIRST_IPV6 + (1n << 128n); // one past the last point

export function addressPoint(address: IpAddress): bigint {
  return address.family === 4 ? address.value : FIRST_IPV6 + address.value;
}

export function addressAt(point: bigint): IpAddress {
  return point < FIRST_IPV6 ? { family: 4, value: point } : { family: 6, value: point - FIRST_IPV6 };
}

/** Where `cidr` starts and, one past, ends. */
export function cidrBounds(cidr: Cidr): readonly [bigint, bigint] {
  const { family, first, last } = rangeOfCidr(cidr);
  return [addressPoint({ family, value: first }), addressPoint({ family, value: last }) + 1n];
}
