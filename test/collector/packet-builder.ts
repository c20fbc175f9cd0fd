import { tryParseAddress } from "../../model/address.js";

/** Bytes of one layer and what it carries, written out by hand: nothing of the code under test makes them. */

export function bytesOf(...parts: readonly (number | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])));
}

export function u16(value: number): readonly number[] {
  return [(value >>> 8) & 255, value & 255];
}

export function u32(value: number): readonly number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

function addressBytes(text: string): number[] {
  const parsed = tryParseAddress(text);
  if (parsed === undefined) throw new SyntaxError(`Cannot build packet: "${text}" is no address`);
  const length = parsed.family === 4 ? 4 : 16;
  return Array.from({ length }, (_, i) => Number((parsed.value >> BigInt(8 * (length - 1 - i))) & 255n));
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return bytesOf([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], u16(type), payload);
}

export function vlanTag(id: number, type: number, payload: Uint8Array): Uint8Array {
  return bytesOf(u16(id), u16(type), payload);
}

interface Ipv4Options {
  readonly options?: readonly number[]; // a multiple of 4
  readonly total?: number; // instead of the true length
  readonly id?: number;
  readonly fragment?: number; // flags and offset, as in the header
}

export function ipv4(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  more: Ipv4Options = {},
) {
  const options = more.options ?? [];
  const total = more.total ?? 20 + options.length + payload.length;
  return bytesOf(
    [0x45 + options.length / 4, 0],
    [...u16(total), ...u16(more.id ?? 1), ...u16(more.fragment ?? 0)],
    [64, protocol, 0, 0],
    [...addressBytes(source), ...addressBytes(destination), ...options],
    payload,
  );
}

/** `next` is the protocol of `payload`, which may begin with extension headers. */
export function ipv6(source: string, destination: string, next: number, payload: Uint8Array): Uint8Array {
  return bytesOf(
    [0x60, 0, 0, 0, ...u16(payload.length), next, 64],
    addressBytes(source),
    addressBytes(destination),
    payload,
  );
}

export const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export function tcp(sourcePort: number, destinationPort: number, flags: number, sequence: number, payload = "") {
  return bytesOf(
    [...u16(sourcePort), ...u16(destinationPort), ...u32(sequence), ...u32(0), 0x50, flags, 0, 0, 0, 0, 0, 0],
    new TextEncoder().encode(payload),
  );
}

export function udp(sourcePort: number, destinationPort: number, payload: Uint8Array = new Uint8Array(8)): Uint8Array {
  return bytesOf([...u16(sourcePort), ...u16(destinationPort), ...u16(8 + payload.length), 0, 0], payload);
}

export function icmp(type: number, code: number, rest: Uint8Array = new Uint8Array(4)): Uint8Array {
  return bytesOf([type, code, 0, 0, 0, 0, 0, 0], rest);
}

/** One packet of a capture; times in microseconds. */
export interface BuiltPacket {
  readonly atUs: number;
  readonly bytes: Uint8Array;
  readonly wireLength?: number;
}

/** A pcap. `magic` in the file's own byte order; `linkType` 101 is raw IP. */
export function pcap(
  packets: readonly BuiltPacket[],
  { linkType = 101, isLittle = true, magic = 0xa1b2c3d4, minor = 4 } = {},
): Uint8Array {
  const word = (value: number) => (isLittle ? [...u32(value)].reverse() : u32(value));
  const half = (value: number) => (isLittle ? [...u16(value)].reverse() : u16(value));
  const perUs = magic === 0xa1b23c4d ? 1000 : 1;
  const isModified = magic === 0xa1b2cd34;
  const header = bytesOf(word(magic), half(2), half(minor), word(0), word(0), word(65535), word(linkType));
  const records = packets.map(({ atUs, bytes, wireLength = bytes.length }) =>
    bytesOf(
      word(Math.floor(atUs / 1e6)),
      word((atUs % 1e6) * perUs),
      word(bytes.length),
      word(wireLength),
      isModified ? [0, 0, 0, 0, 0, 0, 0, 0] : [],
      bytes,
    ),
  );
  return bytesOf(header, ...records);
}

/** One block of a pcapng, padded. */
export function block(type: number, body: Uint8Array, isLittle = true): Uint8Array {
  const word = (value: number) => (isLittle ? [...u32(value)].reverse() : u32(value));
  const padding = new Uint8Array((4 - (body.length % 4)) % 4);
  const length = body.length + padding.length + 12;
  return bytesOf(word(type), word(length), body, padding, word(length));
}
