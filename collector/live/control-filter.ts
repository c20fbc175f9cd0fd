/*
 * `tcp[...]` never matches IPv6, so its header is reached from the IPv6 one, as far as no extension header is between.
 * The data of a TCP segment begin at 4 x the upper half of its 13th byte.
 */
const TCP4_DATA = "((tcp[12:1] & 0xf0) >> 2)";
const TCP6_DATA = "(40 + ((ip6[52:1] & 0xf0) >> 2))";

const CONTROL4 = "tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0";
const CONTROL6 = "ip6[6] == 6 and ip6[53] & 7 != 0";
const IS_TCP6 = "ip6[6] == 6";

const CLIENT_HELLO = (layer: string, data: string) => `${layer}[${data}:1] = 22 and ${layer}[${data} + 5:1] = 1`;
const REQUEST = (layer: string, data: string) =>
  // "GET " and "POST", in which nearly all HTTP/1 connections begin
  `${layer}[${data}:4] = 0x47455420 or ${layer}[${data}:4] = 0x504f5354`;

/**
 * The pcap filter of a source too slow to see every packet: what opens and ends connections, every packet of the
 * protocols without connections, and what tells names.
 */
export const CONTROL_FILTER = [
  CONTROL4,
  `(${CONTROL6})`,
  `(${CLIENT_HELLO("tcp", TCP4_DATA)})`,
  `(${IS_TCP6} and ${CLIENT_HELLO("ip6", TCP6_DATA)})`,
  `(${REQUEST("tcp", TCP4_DATA)})`,
  `(${IS_TCP6} and (${REQUEST("ip6", TCP6_DATA)}))`,
  "udp",
  "icmp",
  "icmp6",
  "sctp",
  "ip[6:2] & 0x1fff != 0", // later fragments, which have no ports
  "ip6[6] == 44",
].join(" or ");
