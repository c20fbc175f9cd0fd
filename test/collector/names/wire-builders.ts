import { createCipheriv } from "node:crypto";

export function u16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

export function u24(value: number): number[] {
  return [(value >> 16) & 255, ...u16(value)];
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)];
}

export function ascii(text: string): number[] {
  return [...Buffer.from(text, "latin1")];
}

export function dnsName(name: string): number[] {
  const labels = name === "." ? [] : name.split(".");
  return [...labels.flatMap((label) => [label.length, ...ascii(label)]), 0];
}

export interface Record {
  readonly owner: readonly number[]; // wire name
  readonly type: number;
  readonly ttl?: number;
  readonly data: readonly number[];
  readonly recordClass?: number;
}

export function dnsMessage(parts: {
  readonly flags?: number;
  readonly questions?: readonly { readonly name: readonly number[]; readonly type: number }[];
  readonly answers?: readonly Record[];
  readonly authority?: readonly Record[];
  readonly additional?: readonly Record[];
}): Uint8Array {
  const { questions = [], answers = [], authority = [], additional = [] } = parts;
  const record = ({ owner, type, ttl = 60, data, recordClass = 1 }: Record) => [
    ...owner,
    ...u16(type),
    ...u16(recordClass),
    ...u32(ttl),
    ...u16(data.length),
    ...data,
  ];
  return Uint8Array.from([
    ...u16(0x1234),
    ...u16(parts.flags ?? 0x8180),
    ...u16(questions.length),
    ...u16(answers.length),
    ...u16(authority.length),
    ...u16(additional.length),
    ...questions.flatMap(({ name, type }) => [...name, ...u16(type), ...u16(1)]),
    ...[...answers, ...authority, ...additional].flatMap(record),
  ]);
}

/** The body of a ClientHello: version, random, session id, cookie (DTLS), suites, compression, extensions. */
export function clientHelloBody(name: string | undefined, padding = 0, isDtls = false): number[] {
  const serverName = name === undefined ? [] : [0, ...u16(name.length), ...ascii(name)];
  const extensions = [
    ...(padding > 0 ? [...u16(21), ...u16(padding), ...Array<number>(padding).fill(0)] : []),
    ...(name === undefined ? [] : [...u16(0), ...u16(serverName.length + 2), ...u16(serverName.length), ...serverName]),
    ...u16(43),
    ...u16(3),
    2,
    ...u16(0x0304),
  ];
  return [
    ...u16(isDtls ? 0xfefd : 0x0303),
    ...Array<number>(32).fill(7),
    32,
    ...Array<number>(32).fill(9),
    ...(isDtls ? [4, 1, 2, 3, 4] : []),
    ...u16(4),
    ...u16(0x1301),
    ...u16(0x1302),
    1,
    0,
    ...u16(extensions.length),
    ...extensions,
  ];
}

export function handshake(body: readonly number[]): number[] {
  return [1, ...u24(body.length), ...body];
}

/** The handshake message in TLS records of at most `recordBytes` each. */
export function tlsRecords(message: readonly number[], recordBytes = 16384): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < message.length; at += recordBytes) {
    const part = message.slice(at, at + recordBytes);
    bytes.push(22, 3, 1, ...u16(part.length), ...part);
  }
  return Uint8Array.from(bytes);
}

/** One DTLS record with the fragment [from, to) of a ClientHello's body. */
export function dtlsRecord(body: readonly number[], from = 0, to = body.length): Uint8Array {
  const fragment = body.slice(from, to);
  const message = [1, ...u24(body.length), ...u16(0), ...u24(from), ...u24(fragment.length), ...fragment];
  return Uint8Array.from([22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, ...u16(message.length), ...message]);
}

/** Keys as printed in RFC 9001, appendix A.1, and RFC 9369, appendix A.1, for this connection id. */
export const QUIC_CONNECTION_ID = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
export const QUIC_V1 = {
  version: 1,
  initialType: 0,
  key: "1f369613dd76d5467730efcbe3b1a22d",
  iv: "fa044b2f42a3fd3b46fb255c",
  hp: "9f50449e04a0e810283a1e9933adedd2",
};
export const QUIC_V2 = {
  version: 0x6b3343cf,
  initialType: 1,
  key: "8b1a0bc121284290a29e0971b5cd045d",
  iv: "91f73e2351d8fa91660e909f",
  hp: "45b95e15235d6f45a6b19cbcb0294ba9",
};

/** A CRYPTO frame. Lengths and positions are written as 4-byte varints. */
export function cryptoFrame(position: number, data: readonly number[]): number[] {
  const varint = (value: number) => [0x80 | (value >>> 24), ...u24(value)];
  return [6, ...varint(position), ...varint(data.length), ...data];
}

export function quicInitial(
  frames: readonly number[],
  options: {
    readonly keys?: typeof QUIC_V1;
    readonly packetNumber?: number;
    readonly connectionId?: readonly number[];
    readonly token?: readonly number[];
  } = {},
): Uint8Array {
  const { keys = QUIC_V1, packetNumber = 2, connectionId = QUIC_CONNECTION_ID, token = [] } = options;
  const plain = Buffer.from([...frames, ...Array<number>(Math.max(0, 1162 - frames.length)).fill(0)]);
  const header = Buffer.from([
    0xc3 | (keys.initialType << 4),
    ...u32(keys.version),
    connectionId.length,
    ...connectionId,
    0,
    token.length,
    ...token,
    ...u16(0x4000 | (4 + plain.length + 16)),
    ...u32(packetNumber),
  ]);
  const nonce = Buffer.from(keys.iv, "hex");
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ packetNumber) >>> 0, 8);
  const gcm = createCipheriv("aes-128-gcm", Buffer.from(keys.key, "hex"), nonce);
  gcm.setAAD(header);
  const sealed = Buffer.concat([gcm.update(plain), gcm.final(), gcm.getAuthTag()]);
  const packet = Buffer.concat([header, sealed]);
  const mask = createCipheriv("aes-128-ecb", Buffer.from(keys.hp, "hex"), null).update(sealed.subarray(0, 16));
  packet[0] = (packet[0] as number) ^ ((mask[0] as number) & 0x0f);
  for (let i = 0; i < 4; i++) {
    packet[header.length - 4 + i] = (packet[header.length - 4 + i] as number) ^ (mask[1 + i] as number);
  }
  return packet;
}
