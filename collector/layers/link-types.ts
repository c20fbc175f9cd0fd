import { COOKED, COOKED2, ETHERNET, IP, LOOPBACK } from "./layer.js";

/** First layer by LINKTYPE_ number, see https://www.tcpdump.org/linktypes.html */
const FIRST_LAYERS = new Map<number, number>([
  [0, LOOPBACK], // NULL
  [1, ETHERNET],
  [12, IP], // RAW as some systems number it
  [14, IP],
  [101, IP], // RAW
  [108, LOOPBACK], // LOOP
  [113, COOKED],
  [228, IP], // IPV4
  [229, IP], // IPV6
  [276, COOKED2],
]);

/** The layer that packets of a link type begin with; `undefined` for types we cannot take apart. */
export function firstLayerOf(linkType: number): number | undefined {
  return FIRST_LAYERS.get(linkType);
}
