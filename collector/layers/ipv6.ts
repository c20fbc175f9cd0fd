import { layerOfProtocol } from "./ip-payload.js";
import { MALFORMED, TOO_DEEP, TRUNCATED } from "./layer.js";
import { FIRST_FRAGMENT, LATER, type Packet, WHOLE } from "./packet.js";

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

const MAX_EXTENSIONS = 16;

/**
 * RFC 8200.
 *
 *     header     | version 4 bits ... 4 | payload length 2 | next header 1 | hop limit 1 | source 16 | destination 16 |
 *     extension  | next header 1 | length in 8 bytes beyond the first 1 | ... |
 *     fragment   | next header 1 | 1 | offset 13 bits, 2, more 1 | id 4 |
 *
 * A payload length of 0 means a jumbo packet or one that is still to be segmented: then the wire's length counts.
 */
export function ipv6(packet: Packet): number {
  const { bytes, at } = packet;
  if (packet.end - at < 40) return packet.fail(TRUNCATED);
  if (bytes[at]! >>> 4 !== 6) return packet.fail(MALFORMED);
  let payload = packet.u16(at + 4);
  if (payload === 0) payload = Math.max(0, packet.wireEnd - at - 40);
  if (packet.isBeyondEnclosing(40 + payload)) return packet.fail(MALFORMED);
  packet.family = 6;
  packet.source = packet.addresses.intern(bytes, at + 8);
  packet.destination = packet.addresses.intern(bytes, at + 24);
  packet.ipBytes = 40 + payload;
  packet.wireEnd = at + 40 + payload;
  if (packet.wireEnd < packet.end) packet.end = packet.wireEnd;
  packet.fragment = WHOLE;
  packet.protocol = bytes[at + 6]!;
  packet.at = at + 40;
  const fault = skipExtensions(packet);
  if (fault >= 0) return packet.fail(fault);
  packet.ipLayers++;
  return layerOfProtocol(packet);
}

/** Moves to the transport, noting its protocol and the fragment. @returns a fault, or -1 */
function skipExtensions(packet: Packet): number {
  const { bytes } = packet;
  for (let count = 0; ; count++) {
    const kind = packet.protocol;
    switch (kind) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION:
      case AUTHENTICATION:
      case MOBILITY:
      case HIP:
      case SHIM6: {
        if (count === MAX_EXTENSIONS) return TOO_DEEP;
        if (packet.end - packet.at < 8) return TRUNCATED;
        const units = bytes[packet.at + 1]!;
        const length = kind === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
        if (packet.end - packet.at < length) return packet.wireEnd > packet.end ? TRUNCATED : MALFORMED;
        packet.protocol = bytes[packet.at]!;
        packet.at += length;
        break;
      }
      case FRAGMENT: {
        if (count === MAX_EXTENSIONS) return TOO_DEEP;
        if (packet.end - packet.at < 8) return TRUNCATED;
        const position = packet.u16(packet.at + 2);
        packet.protocol = bytes[packet.at]!;
        if ((position & 0xfff9) !== 0) {
          packet.fragment = position >>> 3 === 0 ? FIRST_FRAGMENT : LATER;
          packet.fragmentId = packet.i32(packet.at + 4);
        }
        packet.at += 8;
        // Behind a later fragment's header lies the middle of something, not another header.
        if (packet.fragment === LATER) return -1;
        break;
      }
      default:
        return -1;
    }
  }
}
