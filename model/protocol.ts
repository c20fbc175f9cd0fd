/** IP protocol numbers that Portolan names; every other one is written as its decimal number. */
export const PROTOCOL_NUMBERS = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
} as const;

export type ProtocolName = keyof typeof PROTOCOL_NUMBERS;

const NAMES = new Map<number, string>(Object.entries(PROTOCOL_NUMBERS).map(([name, number]) => [number, name]));

/** Lower-case IANA keyword such as `tcp`, or the number in decimal where we have no name. */
export function formatProtocol(protocol: number): string {
  return NAMES.get(protocol) ?? String(protocol);
}

/**
 * Reads what `formatProtocol` writes; case does not matter.
 * @throws {SyntaxError} If `text` is neither a name we know nor a number 0..255.
 */
export function parseProtocol(text: string): number {
  const named = PROTOCOL_NUMBERS[text.toLowerCase() as ProtocolName];
  if (named !== undefined) return named;
  const number = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 255)) {
    throw new SyntaxError(`Cannot parse protocol "${text}": wanted a name such as tcp or a number 0..255`);
  }
  return number;
}

/** Whether the protocol has port numbers in the field's usual sense. */
export function hasPorts(protocol: number): boolean {
  return protocol === 6 || protocol === 17 || protocol === 132 || protocol === 33 || protocol === 136;
}
