/**
 * What the bytes at `packet.at` are. A layer's function looks at them, moves `at` and `end`, and returns what comes
 * next; the loop in dissect.ts calls on. So layers know each other by number only, and their depth is bounded in one place.
 */
export const DONE = 0; // nothing more that can carry IP
export const ETHERNET = 1;
export const ETHER_TYPE = 2; // an EtherType, then its payload
export const IP = 3; // version in the first nibble
export const IPV4 = 4;
export const IPV6 = 5;
export const LLC = 6;
export const MPLS = 7;
export const PPPOE = 8;
export const PPP = 9;
export const TCP = 10;
export const UDP = 11;
export const ICMP = 12;
export const ICMPV6 = 13;
export const SCTP = 14;
export const DCCP = 15;
export const UDPLITE = 16;
export const PORTLESS = 17; // an IP payload that we look no further into
export const LATER_FRAGMENT = 18;
export const GRE = 19;
export const IP_IN_IP = 20;
export const VXLAN = 21;
export const GENEVE = 22;
export const GTPU = 23;
export const TEREDO = 24;
export const AYIYA = 25;
export const L2TP = 26;
export const ETHERIP = 27;
export const AH = 28;
export const ERSPAN = 29;
export const PBB = 30;
export const VNTAG = 31;
export const VLAN = 32;
export const MPLS_IN_IP = 33;
export const CHDLC = 34;
export const FRAME_RELAY = 35;
export const IEEE80211 = 36;
export const L2TP3 = 37;
export const FABRICPATH = 38;
export const TRILL = 39;
export const CAPWAP = 40;
export const ERSPAN3 = 41;
export const LOOPBACK = 42;
export const COOKED = 43;
export const COOKED2 = 44;

/** Most layers that are looked at in one packet; more is an attack or a loop. */
export const MAX_LAYERS = 48;

/**
 * Why a packet, or what was left of it, was given up. What stood before the fault counts.
 * - `not-ip`: nothing wrong, it just carries no IP (ARP, spanning tree, keepalives).
 * - `truncated`: the capture cut the packet before the header was whole. `malformed`: a header contradicts itself.
 * - `too-deep`: more layers than anyone needs. `orphan-fragment`: the fragment with the ports never came.
 */
export const DROP_REASONS = ["not-ip", "truncated", "malformed", "too-deep", "orphan-fragment"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export const NOT_IP = 0;
export const TRUNCATED = 1;
export const MALFORMED = 2;
export const TOO_DEEP = 3;
export const ORPHAN_FRAGMENT = 4;
