import {
  ARCNET_LINUX,
  ATM,
  AVS,
  CISCO_HDLC,
  COOKED,
  COOKED2,
  ENC,
  ERF,
  ETHERNET,
  FDDI,
  FIBRE_CHANNEL,
  FIRE_WIRE,
  FRAME_RELAY,
  IEEE80211,
  INFINI_BAND,
  IP,
  IPNET,
  JUNIPER_ATM1,
  JUNIPER_ETHERNET,
  JUNIPER_PPP,
  LOOPBACK,
  MPLS,
  NET_ANALYZER,
  NET_ANALYZER_TRANSPARENT,
  NFLOG,
  PFLOG,
  PKTAP,
  PPI,
  PPP,
  PPP_DIRECTION,
  PPPOE,
  PRISM,
  RADIOTAP,
  SLIP,
  SUN_ATM,
  TOKEN_RING,
} from "./layer.js";

/** First layer by LINKTYPE_ number, see https://www.tcpdump.org/linktypes.html */
const FIRST_LAYERS = new Map<number, number>([
  [0, LOOPBACK], // NULL
  [1, ETHERNET],
  [6, TOKEN_RING],
  [8, SLIP],
  [9, PPP],
  [10, FDDI],
  [12, IP], // RAW as some systems number it
  [14, IP],
  [50, PPP], // PPP_HDLC
  [51, PPPOE], // PPP_ETHER
  [100, ATM], // ATM_RFC1483
  [101, IP], // RAW
  [104, CISCO_HDLC],
  [105, IEEE80211],
  [106, ATM], // ATM_CLIP
  [107, FRAME_RELAY],
  [108, LOOPBACK], // LOOP
  [109, ENC],
  [113, COOKED],
  [117, PFLOG],
  [119, PRISM],
  [122, FIBRE_CHANNEL],
  [123, SUN_ATM],
  [127, RADIOTAP],
  [129, ARCNET_LINUX],
  [137, JUNIPER_ATM1],
  [138, FIRE_WIRE],
  [149, PKTAP], // USER2, as Apple once wrote it
  [163, AVS],
  [166, PPP_DIRECTION], // PPP_PPPD
  [178, JUNIPER_ETHERNET],
  [179, JUNIPER_PPP],
  [192, PPI],
  [197, ERF],
  [204, PPP_DIRECTION], // PPP_WITH_DIR
  [219, MPLS],
  [226, IPNET],
  [228, IP], // IPV4
  [229, IP], // IPV6
  [239, NFLOG],
  [240, NET_ANALYZER],
  [241, NET_ANALYZER_TRANSPARENT],
  [242, INFINI_BAND], // IP over InfiniBand
  [258, PKTAP],
  [276, COOKED2],
]);

/** The layer that packets of a link type begin with; `undefined` for types we cannot take apart. */
export function firstLayerOf(linkType: number): number | undefined {
  return FIRST_LAYERS.get(linkType);
}
