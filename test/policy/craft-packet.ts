import { type IpAddress, parseAddress } from "../../model/address.js";

/** The first packet of a new connection. */
export interface CraftedPacket {
  readonly id: number; // 1 .. 65535; the IPv4 identification, or the IPv6 flow label
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly port: number; // destination port, or ICMP type
  readonly icmpCode: number;
}

function bytesOf(address: IpAddress): Buffer {
  const hex = address.value.toString(16).padStart(address.family === 4 ? 8 : 32, "0");
  return Buffer.from(hex, "hex");
}

/** RFC 1071 over any number of parts. */
function checksum(...parts: readonly Buffer[]): number {
  const all = Buffer.concat(parts);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += (all[i]! << 8) | (all[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** CRC32c as SCTP wants it. */
function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

const SOURCE_PORT = 40_000;

function transport(packet: CraftedPacket, pseudo: (length: number) => Buffer): Buffer {
  const sourcePort = SOURCE_PORT + (packet.id % 20_000);
  switch (packet.protocol) {
    case 6: {
      const header = Buffer.alloc(20);
      header.writeUInt16BE(sourcePort, 0);
      header.writeUInt16BE(packet.port, 2);
      header.writeUInt32BE(packet.id, 4);
      header[12] = 5 << 4;
      header[13] = 0x02; // SYN
      header.writeUInt16BE(64_240, 14);
      header.writeUInt16BE(checksum(pseudo(header.length), header), 16);
      return header;
    }
    case 17: {
      const header = Buffer.alloc(12);
      header.writeUInt16BE(sourcePort, 0);
      header.writeUInt16BE(packet.port, 2);
      header.writeUInt16BE(header.length, 4);
      header.writeUInt16BE(checksum(pseudo(header.length), header) || 0xffff, 6);
      return header;
    }
    case 132: {
      const header = Buffer.alloc(32); // common header and an INIT chunk
      header.writeUInt16BE(sourcePort, 0);
      header.writeUInt16BE(packet.port, 2);
      header[12] = 1; // INIT
      header.writeUInt16BE(20, 14);
      header.writeUInt32BE(packet.id, 16); // initiate tag
      header.writeUInt32BE(65_536, 20); // receiver window
      header.writeUInt16BE(1, 24); // streams out and in
      header.writeUInt16BE(1, 26);
      header.writeUInt32BE(1, 28);
      header.writeUInt32LE(crc32c(header), 8);
      return header;
    }
    case 1:
    case 58: {
      const header = Buffer.alloc(36);
      header[0] = packet.port;
      header[1] = packet.icmpCode;
      header.writeUInt16BE(packet.id, 4);
      const sum = packet.protocol === 1 ? checksum(header) : checksum(pseudo(header.length), header);
      header.writeUInt16BE(sum, 2);
      return header;
    }
    default:
      return Buffer.alloc(16, packet.id & 0xff);
  }
}

/** The packet from its IP header on, with right checksums. */
export function craftPacket(packet: CraftedPacket): Buffer {
  const source = parseAddress(packet.source);
  const ends = [bytesOf(source), bytesOf(parseAddress(packet.destination))] as const;
  const pseudo = (length: number): Buffer => {
    const tail = Buffer.alloc(source.family === 4 ? 4 : 8);
    tail[tail.length - 1] = packet.protocol;
    if (source.family === 4) {
      tail[1] = packet.protocol;
      tail.writeUInt16BE(length, 2);
    } else {
      tail.writeUInt32BE(length, 0);
    }
    return Buffer.concat([...ends, tail]);
  };
  const payload = transport(packet, pseudo);
  if (source.family === 6) {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(((6 << 28) | packet.id) >>> 0, 0);
    header.writeUInt16BE(payload.length, 4);
    header[6] = packet.protocol;
    header[7] = 64;
    return Buffer.concat([header, ...ends, payload]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(packet.id, 4);
  header[8] = 64;
  header[9] = packet.protocol;
  header.writeUInt16BE(checksum(header, ...ends), 10);
  return Buffer.concat([header, ...ends, payload]);
}
