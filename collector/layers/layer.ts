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
export const VLAN = 6;
export const TCP = 7;
export const UDP = 8;
export const ICMP = 9;
export const SCTP = 10;
export const DCCP = 11;
export const UDPLITE = 12;
export const PORTLESS = 13; // an IP payload that we look no further into
export const LATER_FRAGMENT = 14; // has no transport header
export const AH = 15;
export const GRE = 16;
export const IP_IN_IP = 17;
export const ETHERIP = 18;
export const MPLS_IN_IP = 19;
export const VXLAN = 20;
export const GENEVE = 21;
export const GTPU = 22;
export const TEREDO = 23;
export const AYIYA = 24;
export const L2TP = 25;
export const CAPWAP = 26;
export const ERSPAN2 = 27;
export const ERSPAN3 = 28;
export const LLC = 29;
export const MPLS = 30;
export const PPPOE = 31;
export const PPP = 32;
export const PPP_DIRECTION = 33;
export const PBB = 34;
export const VN_TAG = 35;
export const E_TAG = 36;
export const HSR = 37;
export const CISCO_METADATA = 38;
export const FABRIC_PATH = 39;
export const TRILL = 40;
export const ISL = 41;
export const NSH = 42;
export const LOOPBACK = 43;
export const COOKED = 44;
export const COOKED2 = 45;
export const CISCO_HDLC = 46;
export const FRAME_RELAY = 47;
export const IEEE80211 = 48;
export const RADIOTAP = 49;
export const PRISM = 50;
export const AVS = 51;
export const ATM = 52;
export const SUN_ATM = 53;
export const SLIP = 54;
export const TOKEN_RING = 55;
export const FDDI = 56;
export const ARCNET_LINUX = 57;
export const FIBRE_CHANNEL = 58;
export const FIRE_WIRE = 59;
export const INFINI_BAND = 60;
export const NET_ANALYZER = 61;
export const NET_ANALYZER_TRANSPARENT = 62;
export const PPI = 63;
export const PKTAP = 64;
export const NFLOG = 65;
export const PFLOG = 66;
export const ENC = 67;
export const IPNET = 68;
export const ERF = 69;
export const JUNIPER_ETHERNET = 70;
export const JUNIPER_PPP = 71;
export const MPLS_IN_UDP = 73;
export const MACSEC = 74;
export const JUNIPER_ATM1 = 72;

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
