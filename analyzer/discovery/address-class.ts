import { type IpAddress, tryParseAddress } from "../../model/address.js";
import { cidrContains, cidrOf, formatCidr, parseCidr } from "../../model/cidr.js";

/** What an address is for, whatever the inventory says. `text` that is no address counts as global. */
export type AddressClass = "unspecified" | "loopback" | "link-local" | "multicast" | "broadcast" | "private" | "global";

const CLASSES: readonly (readonly [AddressClass, readonly string[]])[] = [
  ["unspecified", ["0.0.0.0/32", "::/128"]],
  ["broadcast", ["255.255.255.255/32"]],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]],
];
const PARSED = CLASSES.map(([name, cidrs]) => [name, cidrs.map(parseCidr)] as const);

export function classOfAddress(text: string): AddressClass {
  const address: IpAddress | undefined = tryParseAddress(text);
  if (address === undefined) return "global";
  return PARSED.find(([, cidrs]) => cidrs.some((cidr) => cidrContains(cidr, address)))?.[0] ?? "global";
}

/** Prefixes of every class but `global`, for "the whole outside". */
export function insidePrefixes(family: 4 | 6): string[] {
  return CLASSES.flatMap(([, cidrs]) => cidrs)
    .filter((cidr) => parseCidr(cidr).family === family)
    .sort();
}

/** The /24 or /48 of a global address, the least that one outside party is given; `undefined` for any other. */
export function networkOf(text: string): string | undefined {
  const address = tryParseAddress(text);
  if (address === undefined || classOfAddress(text) !== "global") return undefined;
  return formatCidr(cidrOf(address, address.family === 4 ? 24 : 48));
}
