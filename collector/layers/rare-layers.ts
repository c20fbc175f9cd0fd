import {
  enc,
  erf,
  ipnet,
  juniperAtm1,
  juniperEthernet,
  juniperPpp,
  nflog,
  pflog,
  pktap,
  ppi,
} from "./capture-headers.js";
import { erspan2, erspan3 } from "./gre.js";
import { ieee80211 } from "./ieee80211.js";
import { mplsInIp } from "./ip-tunnels.js";
import {
  arcnetLinux,
  fddi,
  fibreChannel,
  fireWire,
  infiniBand,
  netAnalyzer,
  netAnalyzerTransparent,
  tokenRing,
} from "./lan-links.js";
import {
  ARCNET_LINUX,
  ATM,
  AVS,
  AYIYA,
  CAPWAP,
  CISCO_HDLC,
  CISCO_METADATA,
  COOKED,
  COOKED2,
  DONE,
  E_TAG,
  ENC,
  ERF,
  ERSPAN2,
  ERSPAN3,
  FABRIC_PATH,
  FDDI,
  FIBRE_CHANNEL,
  FIRE_WIRE,
  FRAME_RELAY,
  GENEVE,
  GTPU,
  HSR,
  IEEE80211,
  INFINI_BAND,
  IPNET,
  ISL,
  JUNIPER_ATM1,
  JUNIPER_ETHERNET,
  JUNIPER_PPP,
  L2TP,
  LLC,
  LOOPBACK,
  MACSEC,
  MPLS,
  MPLS_IN_UDP,
  NET_ANALYZER,
  NET_ANALYZER_TRANSPARENT,
  NFLOG,
  NSH,
  PBB,
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
  TEREDO,
  TOKEN_RING,
  TRILL,
  VN_TAG,
  VXLAN,
} from "./layer.js";
import { cooked, cooked2 } from "./linux-cooked.js";
import { llc } from "./llc.js";
import { loopback } from "./loopback.js";
import { mpls } from "./mpls.js";
import type { Packet } from "./packet.js";
import { ppp, pppoe, pppWithDirection } from "./ppp.js";
import { avs, prism, radiotap } from "./radio-headers.js";
import { ciscoMetadata, eTag, fabricPath, hsr, isl, macsec, nsh, pbb, trill, vnTag } from "./tag-layers.js";
import { ayiya, capwap, geneve, gtpu, l2tp, teredo, vxlan } from "./udp-tunnels.js";
import { atm, ciscoHdlc, frameRelay, slip, sunAtm } from "./wan-links.js";

/** Looks at one layer: moves `packet.at`, returns what comes next. */
type LayerStep = (packet: Packet) => number;

const STEPS: LayerStep[] = [];
STEPS[ARCNET_LINUX] = arcnetLinux;
STEPS[ATM] = atm;
STEPS[AVS] = avs;
STEPS[AYIYA] = ayiya;
STEPS[CAPWAP] = capwap;
STEPS[CISCO_HDLC] = ciscoHdlc;
STEPS[CISCO_METADATA] = ciscoMetadata;
STEPS[COOKED] = cooked;
STEPS[COOKED2] = cooked2;
STEPS[ENC] = enc;
STEPS[ERF] = erf;
STEPS[ERSPAN2] = erspan2;
STEPS[ERSPAN3] = erspan3;
STEPS[E_TAG] = eTag;
STEPS[FABRIC_PATH] = fabricPath;
STEPS[FDDI] = fddi;
STEPS[FIBRE_CHANNEL] = fibreChannel;
STEPS[FIRE_WIRE] = fireWire;
STEPS[FRAME_RELAY] = frameRelay;
STEPS[GENEVE] = geneve;
STEPS[GTPU] = gtpu;
STEPS[HSR] = hsr;
STEPS[IEEE80211] = ieee80211;
STEPS[INFINI_BAND] = infiniBand;
STEPS[IPNET] = ipnet;
STEPS[ISL] = isl;
STEPS[JUNIPER_ATM1] = juniperAtm1;
STEPS[JUNIPER_ETHERNET] = juniperEthernet;
STEPS[JUNIPER_PPP] = juniperPpp;
STEPS[L2TP] = l2tp;
STEPS[LLC] = llc;
STEPS[LOOPBACK] = loopback;
STEPS[MACSEC] = macsec;
STEPS[MPLS] = mpls;
STEPS[MPLS_IN_UDP] = mplsInIp;
STEPS[NET_ANALYZER] = netAnalyzer;
STEPS[NET_ANALYZER_TRANSPARENT] = netAnalyzerTransparent;
STEPS[NFLOG] = nflog;
STEPS[NSH] = nsh;
STEPS[PBB] = pbb;
STEPS[PFLOG] = pflog;
STEPS[PKTAP] = pktap;
STEPS[PPI] = ppi;
STEPS[PPP] = ppp;
STEPS[PPPOE] = pppoe;
STEPS[PPP_DIRECTION] = pppWithDirection;
STEPS[PRISM] = prism;
STEPS[RADIOTAP] = radiotap;
STEPS[SLIP] = slip;
STEPS[SUN_ATM] = sunAtm;
STEPS[TEREDO] = teredo;
STEPS[TOKEN_RING] = tokenRing;
STEPS[TRILL] = trill;
STEPS[VN_TAG] = vnTag;
STEPS[VXLAN] = vxlan;

/** The layers that the loop in dissect.ts does not call by name. `DONE` for a number that is not one of them. */
export function rareLayer(layer: number, packet: Packet): number {
  const step = STEPS[layer];
  return step === undefined ? DONE : step(packet);
}
