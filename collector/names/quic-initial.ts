import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

/*
 * RFC 9001, sections 5 and 5.2: an Initial is encrypted with keys that follow from the client's first Destination
 * Connection ID, so everybody on the path can read it. RFC 9369 gives version 2 other constants.
 *
 *     first:8  11 type:2 reserved:2 number length:2   (the low 4 bits are masked)
 *     version:32, dcid<8>, scid<8>, token<varint>, length:varint, number:8..32, ciphertext, tag:128
 *
 * A packet that the capture cut short is read as far as it goes. Its tag cannot be checked then; nothing is lost by it,
 * since anyone who can send the packet can also make the tag.
 */
const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
const MAX_CONNECTION_ID_BYTES = 20;
const MAX_COALESCED = 8;
const MAX_DATAGRAM_BYTES = 65527;

interface QuicVersion {
  readonly salt: Buffer;
  readonly labelPrefix: "quic" | "quicv2";
  readonly initialType: number; // of the long header
}

const SALT_DRAFT_23 = Buffer.from("c3eef712c72ebb5a11a7d2432bb46365bef9f502", "hex");
const SALT_DRAFT_29 = Buffer.from("afbfec289993d24c9e9786f19c6111e04390a899", "hex");
const SALT_V1 = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
const SALT_V2 = Buffer.from("0dede3def700a6db819381be6e269dcbf9bd2ed9", "hex");

const VERSION_1: QuicVersion = { salt: SALT_V1, labelPrefix: "quic", initialType: 0 };
const VERSION_2: QuicVersion = { salt: SALT_V2, labelPrefix: "quicv2", initialType: 1 };
const DRAFT_29: QuicVersion = { salt: SALT_DRAFT_29, labelPrefix: "quic", initialType: 0 };
const GOOGLE_T050: QuicVersion = {
  salt: Buffer.from("7ff579e5acd072915580304c43a2367c60488310", "hex"),
  labelPrefix: "quic",
  initialType: 0,
};
const GOOGLE_T051: QuicVersion = {
  salt: Buffer.from("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d", "hex"),
  labelPrefix: "quic",
  initialType: 0,
};
const DRAFT_23: QuicVersion = { salt: SALT_DRAFT_23, labelPrefix: "quic", initialType: 0 };

function quicVersion(version: number): QuicVersion | undefined {
  if (version === 1) return VERSION_1;
  if (version === 0x6b3343cf) return VERSION_2;
  if (version >= 0xff000021 && version <= 0xff000022) return VERSION_1;
  if (version >= 0xff00001d && version <= 0xff000020) return DRAFT_29;
  if (version >= 0xff000017 && version <= 0xff00001c) return DRAFT_23;
  if (version === 0x54303530) return GOOGLE_T050;
  if (version === 0x54303531) return GOOGLE_T051;
  return undefined;
}

function versionAt(buffer: Uint8Array, offset: number): number {
  const high = ((buffer[offset + 1] as number) << 8) | (buffer[offset + 2] as number);
  return high * 65536 + (((buffer[offset + 3] as number) << 8) | (buffer[offset + 4] as number));
}

/** Whether a datagram begins with the long header of a QUIC version whose Initials can be read. */
export function isQuicLongHeader(buffer: Uint8Array, offset: number, length: number): boolean {
  if (length < 7 || ((buffer[offset] as number) & 0xc0) !== 0xc0) return false;
  return quicVersion(versionAt(buffer, offset)) !== undefined;
}

/** What decrypts the client's Initials of one connection. */
export interface InitialKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly headerKey: Buffer;
}

/** HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context and an output of at most one hash. */
function expandLabel(secret: Uint8Array, label: string, bytes: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.from([0, bytes, name.length, ...Buffer.from(name), 0, 1]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, bytes);
}

function clientInitialKeys(version: QuicVersion, connectionId: Uint8Array): InitialKeys {
  const initial = createHmac("sha256", version.salt).update(connectionId).digest();
  const secret = expandLabel(initial, "client in", 32);
  return {
    key: expandLabel(secret, `${version.labelPrefix} key`, 16),
    iv: expandLabel(secret, `${version.labelPrefix} iv`, 12),
    headerKey: expandLabel(secret, `${version.labelPrefix} hp`, 16),
  };
}

/** Reads QUIC's variable-length integers (RFC 9000, section 16); -1 past the end. */
class VarintReader {
  constructor(
    readonly buffer: Uint8Array,
    public position: number,
    readonly end: number,
  ) {}

  varint(): number {
    if (this.position >= this.end) return -1;
    const first = this.buffer[this.position] as number;
    const bytes = 1 << (first >> 6);
    if (this.position + bytes > this.end) return -1;
    let value = first & 0x3f;
    for (let i = 1; i < bytes; i++) value = value * 256 + (this.buffer[this.position + i] as number);
    this.position += bytes;
    return value; // above 2 ** 53 it is rounded, and refused by every bound it meets
  }
}

/** Removes both protections; undefined if the keys are not those of this packet. */
function decrypt(
  keys: InitialKeys,
  buffer: Uint8Array,
  packet: number,
  numberAt: number,
  captured: number,
  declared: number,
): Buffer | undefined {
  const sampleAt = numberAt + 4;
  if (sampleAt + SAMPLE_BYTES > captured) return undefined;
  const ecb = createCipheriv("aes-128-ecb", keys.headerKey, null);
  const mask = ecb.update(buffer.subarray(sampleAt, sampleAt + SAMPLE_BYTES));
  const first = (buffer[packet] as number) ^ ((mask[0] as number) & 0x0f);
  const numberBytes = (first & 3) + 1;
  const cipherAt = numberAt + numberBytes;
  const isWhole = captured >= declared;
  const cipherEnd = isWhole ? declared - TAG_BYTES : captured;
  if (cipherEnd <= cipherAt) return undefined;
  const header = Buffer.from(buffer.subarray(packet, cipherAt));
  header[0] = first;
  const nonce = Buffer.from(keys.iv);
  for (let i = 0; i < numberBytes; i++) {
    const byte = (buffer[numberAt + i] as number) ^ (mask[1 + i] as number);
    header[numberAt - packet + i] = byte;
    const at = nonce.length - numberBytes + i;
    nonce[at] = (nonce[at] as number) ^ byte;
  }
  const gcm = createDecipheriv("aes-128-gcm", keys.key, nonce, { authTagLength: TAG_BYTES });
  gcm.setAAD(header);
  const plain = gcm.update(buffer.subarray(cipherAt, cipherEnd));
  if (!isWhole) return plain;
  gcm.setAuthTag(buffer.subarray(cipherEnd, declared));
  try {
    gcm.final();
  } catch {
    return undefined; // the tag differs: other keys
  }
  return plain;
}

/** Takes one piece of the TLS handshake out of an Initial. */
export type CryptoSink = (position: number, buffer: Uint8Array, offset: number, length: number) => void;

/** Feeds the CRYPTO frames of a decrypted Initial to `sink`, stopping at the first fault. @returns whether all frames were well formed. */
function readFrames(plain: Uint8Array, sink: CryptoSink): boolean {
  const reader = new VarintReader(plain, 0, plain.length);
  while (reader.position < plain.length) {
    const type = plain[reader.position] as number;
    reader.position++;
    if (type === 0 || type === 1) continue; // PADDING, PING
    if (type === 6 || type === 8) {
      // CRYPTO, and what Google's T050 and T051 number so; STREAM, the usual 8, has no place in an Initial.
      const position = reader.varint();
      const declared = reader.varint();
      if (position < 0 || declared < 0) return false;
      const length = Math.min(declared, plain.length - reader.position);
      if (position < MAX_DATAGRAM_BYTES) sink(position, plain, reader.position, length);
      reader.position += declared;
    } else if (type === 2 || type === 3) {
      // ACK: largest, delay, range count, first range, then (gap, length) pairs, and three counts with ECN.
      reader.varint();
      reader.varint();
      const ranges = reader.varint();
      let fields = 1 + ranges * 2 + (type === 3 ? 3 : 0);
      if (ranges < 0 || fields > plain.length) return false;
      for (; fields > 0; fields--) if (reader.varint() < 0) return false;
    } else {
      return false; // CONNECTION_CLOSE, or what has no place in an Initial
    }
  }
  return true;
}

/**
 * Decrypts the client's Initials in a datagram and feeds their CRYPTO frames to `sink`.
 * @param known keys that read an earlier Initial of the flow: a later one may carry another connection id
 * @returns the keys that fitted, to be given back with the next datagram; undefined when no Initial could be read
 */
export function readQuicInitials(
  buffer: Uint8Array,
  offset: number,
  length: number,
  known: InitialKeys | undefined,
  sink: CryptoSink,
): InitialKeys | undefined {
  const end = offset + Math.min(length, MAX_DATAGRAM_BYTES);
  let keys = known;
  let packet = offset;
  for (let i = 0; i < MAX_COALESCED; i++) {
    if (packet + 7 > end || ((buffer[packet] as number) & 0xc0) !== 0xc0) break;
    const version = quicVersion(versionAt(buffer, packet));
    if (version === undefined) break;
    const idLength = buffer[packet + 5] as number;
    const idAt = packet + 6;
    if (idLength > MAX_CONNECTION_ID_BYTES || idAt + idLength >= end) break;
    const sourceIdLength = buffer[idAt + idLength] as number;
    if (sourceIdLength > MAX_CONNECTION_ID_BYTES) break;
    const reader = new VarintReader(buffer, idAt + idLength + 1 + sourceIdLength, end);
    const isInitial = (((buffer[packet] as number) >> 4) & 3) === version.initialType;
    if (isInitial) {
      const tokenLength = reader.varint();
      if (tokenLength < 0) break;
      reader.position += tokenLength;
    }
    const rest = reader.varint();
    if (rest < 0) break;
    const declared = reader.position + rest;
    if (isInitial && rest >= 4 + SAMPLE_BYTES) {
      const captured = Math.min(declared, end);
      let plain = keys && decrypt(keys, buffer, packet, reader.position, captured, declared);
      if (plain === undefined) {
        const fresh = clientInitialKeys(version, buffer.subarray(idAt, idAt + idLength));
        plain = decrypt(fresh, buffer, packet, reader.position, captured, declared);
        if (plain !== undefined) keys = fresh;
      }
      if (plain === undefined || !readFrames(plain, sink)) break;
    }
    packet = declared;
  }
  return keys;
}
