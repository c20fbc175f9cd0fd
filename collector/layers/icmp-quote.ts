import type { Packet } from "./packet.js";

/** The beginning of the packet that an ICMP error is about, as far as it tells a flow. */
export interface Quote {
  protocol: number;
  source: number; // see AddressTable; of the same family as the error
  destination: number;
  sourcePort: number; // 0 where the protocol has none
  destinationPort: number;
}

/** Reads the quote of the ICMP error at hand into `into`. @returns whether there is one; IPv6 extensions are not followed */
export function readQuote(packet: Packet, into: Quote): boolean {
  const { bytes, payloadAt: at, payloadEnd: end } = packet;
  let transport: number;
  if (packet.family === 4) {
    if (end - at < 20 || bytes[at]! >>> 4 !== 4) return false;
    const headerLength = (bytes[at]! & 15) * 4;
    if (headerLength < 20 || (packet.u16(at + 6) & 0x1fff) !== 0) return false;
    into.protocol = bytes[at + 9]!;
    into.source = packet.i32(at + 12);
    into.destination = packet.i32(at + 16);
    transport = at + headerLength;
  } else {
    if (end - at < 40 || bytes[at]! >>> 4 !== 6) return false;
    into.protocol = bytes[at + 6]!;
    into.source = packet.addresses.intern(bytes, at + 8);
    into.destination = packet.addresses.intern(bytes, at + 24);
    transport = at + 40;
  }
  const hasPorts = into.protocol === 6 || into.protocol === 17 || into.protocol === 132 || into.protocol === 33;
  if (hasPorts && end - transport < 4) return false;
  into.sourcePort = hasPorts ? packet.u16(transport) : 0;
  into.destinationPort = hasPorts ? packet.u16(transport + 2) : 0;
  return true;
}
