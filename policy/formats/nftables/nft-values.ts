import { tryParseAddress } from "../../../model/address.js";
import { parseCidr, rangeOfCidr } from "../../../model/cidr.js";
import { type NftField, type NftRange, NftSyntaxError } from "./nft-table.js";

// Names that nft prints for numbers unless it is told `-n`. Others depend on the host's /etc/protocols.
const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": 58,
  icmpv6: 58,
  comp: 108,
  sctp: 132,
  udplite: 136,
};

const ICMP_TYPES: Readonly<Record<string, number>> = {
  "echo-reply": 0,
  "destination-unreachable": 3,
  "source-quench": 4,
  redirect: 5,
  "echo-request": 8,
  "router-advertisement": 9,
  "router-solicitation": 10,
  "time-exceeded": 11,
  "parameter-problem": 12,
  "timestamp-request": 13,
  "timestamp-reply": 14,
  "info-request": 15,
  "info-reply": 16,
  "address-mask-request": 17,
  "address-mask-reply": 18,
};

const ICMPV6_TYPES: Readonly<Record<string, number>> = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "mld-listener-reduction": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "nd-redirect": 137,
  "router-renumbering": 138,
  "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142,
  "mld2-listener-report": 143,
};

const ICMP_CODES: Readonly<Record<string, number>> = {
  "net-unreachable": 0,
  "host-unreachable": 1,
  "prot-unreachable": 2,
  "port-unreachable": 3,
  "frag-needed": 4,
  "net-prohibited": 9,
  "host-prohibited": 10,
  "admin-prohibited": 13,
};

const ICMPV6_CODES: Readonly<Record<string, number>> = {
  "no-route": 0,
  "admin-prohibited": 1,
  "addr-unreachable": 3,
  "port-unreachable": 4,
  "policy-fail": 5,
  "reject-route": 6,
};

const NAMES: Partial<Record<NftField, Readonly<Record<string, number>>>> = {
  "meta l4proto": PROTOCOLS,
  "meta nfproto": { ipv4: 2, ipv6: 10 },
  "icmp type": ICMP_TYPES,
  "icmp code": ICMP_CODES,
  "icmpv6 type": ICMPV6_TYPES,
  "icmpv6 code": ICMPV6_CODES,
};

const HIGHEST: Partial<Record<NftField, number>> = {
  "th sport": 65535,
  "th dport": 65535,
  "tcp dport": 65535,
  "udp dport": 65535,
  "sctp dport": 65535,
};

function isAddressField(field: NftField): boolean {
  return field.endsWith("addr");
}

/** The number that `text` stands for in `field`. @throws {NftSyntaxError} If it stands for none. */
export function readNumber(field: NftField, text: string, where: string): bigint {
  if (isAddressField(field)) {
    const address = tryParseAddress(text);
    const family = field.startsWith("ip6") ? 6 : 4;
    if (address?.family !== family) throw new NftSyntaxError(where, text, `an IPv${family} address for "${field}"`);
    return address.value;
  }
  const highest = HIGHEST[field] ?? 255;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : (NAMES[field]?.[text] ?? Number.NaN);
  if (!(number <= highest)) {
    throw new NftSyntaxError(where, text, `a number 0..${highest} for "${field}" (list with nft -n to get numbers)`);
  }
  return BigInt(number);
}

/** A value, prefix or range in nft's text. */
export function readRange(field: NftField, text: string, where: string): NftRange {
  if (text.includes("/") && isAddressField(field)) {
    readNumber(field, text.slice(0, text.indexOf("/")), where);
    const { first, last } = rangeOfCidr(parseCidr(text));
    return { first, last };
  }
  // A dash is a range unless the whole word is a name such as "echo-request".
  const dash = NAMES[field]?.[text] === undefined ? text.indexOf("-") : -1;
  const first = readNumber(field, dash < 0 ? text : text.slice(0, dash), where);
  const last = dash < 0 ? first : readNumber(field, text.slice(dash + 1), where);
  if (first > last) throw new NftSyntaxError(where, text, "a range that ascends");
  return { first, last };
}

/** A set that is listed by type does not say which field it is for; any field of the type reads its values alike. */
export const FIELD_OF_TYPE: Readonly<Record<string, NftField>> = {
  ipv4_addr: "ip saddr",
  ipv6_addr: "ip6 saddr",
  inet_proto: "meta l4proto",
  inet_service: "th dport",
  nf_proto: "meta nfproto",
  icmp_type: "icmp type",
  icmp_code: "icmp code",
  icmpv6_type: "icmpv6 type",
  icmpv6_code: "icmpv6 code",
};
