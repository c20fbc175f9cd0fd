/**
 * An IP address, parsed once and typed from then on. `value` is the address as an unsigned integer,
 * 0 .. 2^32-1 (family 4) or 0 .. 2^128-1 (family 6). An IPv4-mapped IPv6 address stays family 6.
 */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function ipv4Value(text: string): bigint | undefined {
  const match = IPV4.exec(text);
  if (match === null) return undefined;
  let value = 0; // below 2 ** 32, so exact, and cheaper than a bigint for each octet
  for (let i = 1; i <= 4; i++) {
    const part = match[i] as string;
    const octet = Number(part);
    // A leading zero is octal to some readers and decimal to others, so it is refused.
    if (octet > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    value = value * 256 + octet;
  }
  return BigInt(value);
}

function ipv6Value(text: string): bigint | undefined {
  let source = text;
  const lastColon = source.lastIndexOf(":");
  if (lastColon < 0) return undefined;
  if (source.includes(".", lastColon)) {
    const tail = ipv4Value(source.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    source = `${source.slice(0, lastColon + 1)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  }
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string | undefined) => (half === undefined || half === "" ? [] : half.split(":"));
  const head = groupsOf(halves[0]);
  const tail = groupsOf(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill("0"), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(Number.parseInt(group, 16));
  }
  return value;
}

/** The address that `text` spells, or `undefined` when it spells none. Zones (`%eth0`) are not accepted. */
export function tryParseAddress(text: string): IpAddress | undefined {
  const v4 = ipv4Value(text);
  if (v4 !== undefined) return { family: 4, value: v4 };
  const v6 = ipv6Value(text);
  return v6 === undefined ? undefined : { family: 6, value: v6 };
}

/** @throws {SyntaxError} If `text` is neither dotted IPv4 nor IPv6 text. */
export function parseAddress(text: string): IpAddress {
  const address = tryParseAddress(text);
  if (address === undefined) {
    throw new SyntaxError(`Cannot parse address "${text}": wanted IPv4 such as 192.0.2.1 or IPv6 such as 2001:db8::1`);
  }
  return address;
}

/** The address in network order at `at`: 4 bytes of family 4, else 16. */
export function addressOfBytes(family: number, bytes: Uint8Array, at: number): IpAddress {
  if (family === 4) {
    const value = bytes[at]! * 0x1_00_00_00 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
    return { family: 4, value: BigInt(value) };
  }
  let value = 0n;
  for (let i = at; i < at + 16; i++) value = (value << 8n) | BigInt(bytes[i]!);
  return { family: 6, value };
}

function formatIpv4(value: bigint): string {
  const v = Number(value);
  return `${(v >>> 24) & 255}.${(v >>> 16) & 255}.${(v >>> 8) & 255}.${v & 255}`;
}

/** Canonical text: dotted IPv4, or IPv6 as RFC 5952 wants it (lower case, longest zero run shortened). */
export function formatAddress(address: IpAddress): string {
  if (address.family === 4) return formatIpv4(address.value);
  const { value } = address;
  if (value >> 32n === 0xffffn) return `::ffff:${formatIpv4(value & 0xffffffffn)}`;
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
    if (length > 0) start += length;
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (bestStart < 0) return hex(groups);
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`;
}

/** IPv4 before IPv6, then by value. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}
