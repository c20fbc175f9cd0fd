import { writeSync } from "node:fs";

/*
 *     pcap    magic:32 version:16,16 zone:32 sigfigs:32 snaplen:32 linktype:32, little-endian
 *     record  seconds:32 microseconds:32 captured:32 length:32, then Ethernet [802.1Q] IPv4|IPv6 TCP|UDP|ICMP
 */
const CHUNK_BYTES = 4 << 20;
const LARGEST_RECORD_BYTES = 2048;

const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

/** Where a packet comes from or goes to. `host` is the last 16 bits of the address, `net` the 16 before them. */
export interface Side {
  readonly net: number;
  readonly host: number;
  readonly port: number;
}

export interface PacketShape {
  readonly isIpv6: boolean;
  readonly vlan: number; // 0 is none
  readonly protocol: number;
}

/** Writes packets with valid checksums to a capture file, one reused buffer, payloads zero except where given. */
export class PacketWriter {
  packets = 0;
  ipBytes = 0;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #at = 0;

  constructor(
    readonly fd: number,
    readonly snaplen: number,
  ) {
    this.#u32le(0xa1b2c3d4);
    this.#u32le(0x00040002);
    this.#u32le(0);
    this.#u32le(0);
    this.#u32le(snaplen);
    this.#u32le(1);
  }

  flush(): void {
    for (let done = 0; done < this.#at; ) done += writeSync(this.fd, this.#buffer, done, this.#at - done);
    this.#at = 0;
  }

  #u32le(value: number): void {
    const buffer = this.#buffer;
    buffer[this.#at++] = value;
    buffer[this.#at++] = value >>> 8;
    buffer[this.#at++] = value >>> 16;
    buffer[this.#at++] = value >>> 24;
  }

  #u16(value: number): void {
    this.#buffer[this.#at++] = value >>> 8;
    this.#buffer[this.#at++] = value;
  }

  #sum(from: number, to: number): number {
    const buffer = this.#buffer;
    let sum = 0;
    let at = from;
    for (; at + 1 < to; at += 2) sum += ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
    return at < to ? sum + ((buffer[at] as number) << 8) : sum;
  }

  #store16(at: number, value: number): void {
    this.#buffer[at] = value >>> 8;
    this.#buffer[at + 1] = value;
  }

  #ethernetAddress(side: Side): void {
    this.#u16(0x0200);
    this.#u16(side.net);
    this.#u16(side.host);
  }

  #address(side: Side, isIpv6: boolean): void {
    if (isIpv6) {
      this.#u16(0xfd00);
      this.#buffer.fill(0, this.#at, this.#at + 10);
      this.#at += 10;
    }
    this.#u16(side.net);
    this.#u16(side.host);
  }

  /** Record, Ethernet and IP headers; answers where the IP addresses begin. The IP total is known, so nothing is patched later. */
  #headers(timeUs: number, shape: PacketShape, from: Side, to: Side, transportBytes: number): number {
    if (this.#at + LARGEST_RECORD_BYTES > CHUNK_BYTES) this.flush();
    const ipBytes = (shape.isIpv6 ? 40 : 20) + transportBytes;
    const frameBytes = ipBytes + (shape.vlan === 0 ? 14 : 18);
    this.packets++;
    this.ipBytes += ipBytes;
    this.#u32le(Math.floor(timeUs / 1_000_000));
    this.#u32le(timeUs % 1_000_000);
    this.#u32le(Math.min(frameBytes, this.snaplen));
    this.#u32le(frameBytes);
    this.#ethernetAddress(to);
    this.#ethernetAddress(from);
    if (shape.vlan !== 0) {
      this.#u16(0x8100);
      this.#u16(shape.vlan);
    }
    this.#u16(shape.isIpv6 ? 0x86dd : 0x0800);
    if (shape.isIpv6) {
      this.#u16(0x6000);
      this.#u16(0);
      this.#u16(transportBytes);
      this.#u16((shape.protocol << 8) | 64);
    } else {
      const start = this.#at;
      this.#u16(0x4500);
      this.#u16(ipBytes);
      this.#u16(this.packets & 0xffff);
      this.#u16(0x4000);
      this.#u16((64 << 8) | shape.protocol);
      this.#u16(0);
      this.#address(from, false);
      this.#address(to, false);
      this.#store16(start + 10, folded(this.#sum(start, this.#at)));
      return start + 12;
    }
    const addresses = this.#at;
    this.#address(from, true);
    this.#address(to, true);
    return addresses;
  }

  /** Sets the transport checksum and cuts the record to the snap length. What is not in the buffer is zero. */
  #finish(
    frameEnd: number,
    addresses: number,
    transport: number,
    checksumAt: number,
    length: number,
    pseudo: number,
  ): void {
    let sum = this.#sum(transport, this.#at);
    if (pseudo !== 0) sum += this.#sum(addresses, transport) + pseudo + length;
    const checksum = folded(sum);
    this.#store16(checksumAt, checksum === 0 && pseudo === UDP ? 0xffff : checksum);
    if (frameEnd > this.#at) this.#buffer.fill(0, this.#at, frameEnd);
    this.#at = frameEnd;
  }

  #frameEnd(recordStart: number, shape: PacketShape, transportBytes: number): number {
    const frameBytes = (shape.isIpv6 ? 40 : 20) + transportBytes + (shape.vlan === 0 ? 14 : 18);
    return recordStart + 16 + Math.min(frameBytes, this.snaplen);
  }

  tcp(
    timeUs: number,
    shape: PacketShape,
    from: Side,
    to: Side,
    flags: number,
    sequence: number,
    acknowledged: number,
    payloadBytes: number,
  ): void {
    const length = 20 + payloadBytes;
    const addresses = this.#headers(timeUs, shape, from, to, length);
    const transport = this.#at;
    this.#u16(from.port);
    this.#u16(to.port);
    this.#u16(sequence >>> 16);
    this.#u16(sequence & 0xffff);
    this.#u16(acknowledged >>> 16);
    this.#u16(acknowledged & 0xffff);
    this.#u16(0x5000 | flags);
    this.#u16(0xffff);
    this.#u16(0);
    this.#u16(0);
    const start = addresses - (shape.isIpv6 ? 8 : 12) - (shape.vlan === 0 ? 14 : 18) - 16;
    this.#finish(this.#frameEnd(start, shape, length), addresses, transport, transport + 16, length, TCP);
  }

  udp(timeUs: number, shape: PacketShape, from: Side, to: Side, payload: Uint8Array): void {
    const length = 8 + payload.length;
    const addresses = this.#headers(timeUs, shape, from, to, length);
    const transport = this.#at;
    this.#u16(from.port);
    this.#u16(to.port);
    this.#u16(length);
    this.#u16(0);
    this.#buffer.set(payload, this.#at);
    this.#at += payload.length;
    const start = addresses - (shape.isIpv6 ? 8 : 12) - (shape.vlan === 0 ? 14 : 18) - 16;
    this.#finish(this.#frameEnd(start, shape, length), addresses, transport, transport + 6, length, UDP);
  }

  /** Echo request or reply with 56 bytes of data. */
  echo(timeUs: number, shape: PacketShape, from: Side, to: Side, isReply: boolean, number: number): void {
    const length = 64;
    const addresses = this.#headers(timeUs, shape, from, to, length);
    const transport = this.#at;
    const type = shape.isIpv6 ? (isReply ? 129 : 128) : isReply ? 0 : 8;
    this.#u16(type << 8);
    this.#u16(0);
    this.#u16(from.host ^ to.host);
    this.#u16(number);
    const start = addresses - (shape.isIpv6 ? 8 : 12) - (shape.vlan === 0 ? 14 : 18) - 16;
    const pseudo = shape.isIpv6 ? ICMPV6 : 0;
    this.#finish(this.#frameEnd(start, shape, length), addresses, transport, transport + 2, length, pseudo);
  }
}

function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 65536);
  return ~rest & 0xffff;
}
