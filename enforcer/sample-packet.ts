import type { IpAddress } from "../model/address.js";

/*
 * A packet of link type NFLOG, https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html
 *
 *     family 1, version 1, group 2 (big endian)
 *     then fields: length 2, type 2 (both in the byte order of the machine), value, padding to a multiple of 4
 *
 * The length counts its own four bytes. Of the fields we read the prefix that our rule gave it, and the packet from its IP
 * header on. Whatever is cut short or does not fit yields nothing.
 */
const PREFIX = 10;
const PAYLOAD = 9;
const IN_DEVICE = 4;
const OUT_DEVICE = 5;

const MARK = /^portolan ([a-z0-9-]{1,63}) (in|out|from|to) ?\0?$/;

export interface SamplePacket {
  readonly scope: string;
  readonly direction: "ingress" | "egress";
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly clientPort: number; // 0 where the protocol has none
  readonly port: number; // ICMP: type << 8 | code
  readonly interface: string; // its number, as the kernel tells it
}

function addressAt(bytes: Buffer, at: number, length: 4 | 16): IpAddress {
  const value = BigInt(`0x${bytes.subarray(at, at + length).toString("hex")}`);
  return { family: length === 4 ? 4 : 6, value };
}

type IpPart = Pick<SamplePacket, "source" | "destination" | "protocol"> & { readonly headerBytes: number };

function readIp(packet: Buffer): IpPart | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet.length >= 20) {
    const headerBytes = (packet[0]! & 15) * 4;
    const isFragment = (packet.readUInt16BE(6) & 0x1fff) !== 0;
    if (headerBytes < 20 || isFragment) return undefined;
    return {
      source: addressAt(packet, 12, 4),
      destination: addressAt(packet, 16, 4),
      protocol: packet[9]!,
      headerBytes,
    };
  }
  if (version === 6 && packet.length >= 40) {
    return {
      source: addressAt(packet, 8, 16),
      destination: addressAt(packet, 24, 16),
      protocol: packet[6]!,
      headerBytes: 40,
    };
  }
  return undefined;
}

const PORT_PROTOCOLS = [6, 17, 132];
const ICMP_PROTOCOLS = [1, 58];

/** @returns undefined for a packet that is not one of our samples, or is cut short */
export function readSamplePacket(bytes: Buffer): SamplePacket | undefined {
  let prefix = "";
  let payload: Buffer | undefined;
  let device = "";
  for (let at = 4; at + 4 <= bytes.length; ) {
    const [length, type] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    if (length < 4 || at + length > bytes.length) break;
    const value = bytes.subarray(at + 4, at + length);
    if (type === PREFIX) prefix = value.toString("latin1");
    else if (type === PAYLOAD) payload = value;
    else if ((type === IN_DEVICE || type === OUT_DEVICE) && value.length >= 4) device = String(value.readUInt32BE(0));
    at += (length + 3) & ~3;
  }
  const [, scope, way] = MARK.exec(prefix) ?? [];
  if (scope === undefined || payload === undefined) return undefined;
  const ip = readIp(payload);
  if (ip === undefined) return undefined;
  const { headerBytes, ...ends } = ip;
  const next = payload.subarray(headerBytes);
  if (next.length < 4) return undefined;
  const hasPorts = PORT_PROTOCOLS.includes(ip.protocol);
  const isIcmp = ICMP_PROTOCOLS.includes(ip.protocol);
  return {
    scope,
    direction: way === "in" || way === "to" ? "ingress" : "egress",
    ...ends,
    clientPort: hasPorts ? next.readUInt16BE(0) : 0,
    port: hasPorts ? next.readUInt16BE(2) : isIcmp ? next.readUInt16BE(0) : 0,
    interface: device,
  };
}
