import { INCOMPLETE, MAX_NAME_BYTES, type NameSearch, NO_NAME, wireText } from "./name-search.js";

/*
 * RFC 8446, section 4.1.2; DTLS (RFC 6347, section 4.2.2) adds message number and fragment to the header, and a cookie.
 *
 *     record     type:8 = 22, version:16, length:16, fragment            DTLS: epoch:16 and sequence:48 before length
 *     handshake  type:8 = 1, length:24, body                             DTLS: number:16, offset:24, length:24 before body
 *     body       version:16, random:256, session<8>, [cookie<8>], suites<16>, compression<8>, extensions<16>
 *     extension  type:16, data<16>; type 0 is server_name: list<16> of (type:8 = 0, name<16>)
 *
 * The name of an outer ClientHello under ECH is the provider's, not the service's. It is not told apart here, since
 * nearly every client sends a meaningless ECH extension (RFC 9849, GREASE).
 */
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MAX_RECORD_BYTES = 16384 + 256;
const DTLS_RECORD_HEADER_BYTES = 13;
const DTLS_HANDSHAKE_HEADER_BYTES = 12;
const HANDSHAKE_HEADER_BYTES = 4;
const EXTENSION_SERVER_NAME = 0;
const MAX_HELLO_BYTES = 65536;

function u16(buffer: Uint8Array, at: number): number {
  return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
}

function u24(buffer: Uint8Array, at: number): number {
  return ((buffer[at] as number) << 16) | u16(buffer, at + 1);
}

/** The name in the data of a server_name extension, which is wholly there. */
function serverName(buffer: Uint8Array, start: number, end: number): NameSearch {
  let at = start + 2;
  while (at + 3 <= end) {
    const type = buffer[at] as number;
    const length = u16(buffer, at + 1);
    const name = at + 3;
    if (name + length > end) return NO_NAME;
    if (type === 0) {
      if (length === 0 || length > MAX_NAME_BYTES) return NO_NAME;
      return { kind: "name", name: wireText(buffer, name, name + length) };
    }
    at = name + length;
  }
  return NO_NAME;
}

/**
 * Searches a ClientHello's body that claims buffer[at, declaredEnd) and of which buffer[at, end) is there.
 * `end` is not above `declaredEnd`.
 */
function searchBody(buffer: Uint8Array, at: number, end: number, declaredEnd: number, isDtls: boolean): NameSearch {
  const short = end < declaredEnd ? INCOMPLETE : NO_NAME;
  let position = at + 34;
  const vectors = isDtls ? 4 : 3;
  for (let i = 0; i < vectors; i++) {
    const isSuites = i === vectors - 2;
    const width = isSuites ? 2 : 1;
    if (position + width > end) return short;
    position += width + (isSuites ? u16(buffer, position) : (buffer[position] as number));
  }
  if (position + 2 > end) return short;
  const extensionsEnd = position + 2 + u16(buffer, position);
  if (extensionsEnd > declaredEnd) return NO_NAME;
  position += 2;
  while (position < extensionsEnd) {
    if (position + 4 > end) return short;
    const type = u16(buffer, position);
    const next = position + 4 + u16(buffer, position + 2);
    if (next > extensionsEnd) return NO_NAME;
    if (type === EXTENSION_SERVER_NAME) return next > end ? short : serverName(buffer, position + 4, next);
    position = next;
  }
  return NO_NAME;
}

/** Searches a handshake message without a record layer, as QUIC carries it, of which the first `length` bytes are there. */
export function searchHandshake(buffer: Uint8Array, offset: number, length: number): NameSearch {
  if (length < 1) return INCOMPLETE;
  if (buffer[offset] !== CLIENT_HELLO) return NO_NAME;
  if (length < HANDSHAKE_HEADER_BYTES) return INCOMPLETE;
  const bodyLength = u24(buffer, offset + 1);
  if (bodyLength > MAX_HELLO_BYTES) return NO_NAME;
  const body = offset + HANDSHAKE_HEADER_BYTES;
  return searchBody(buffer, body, Math.min(offset + length, body + bodyLength), body + bodyLength, false);
}

/** Whether a stream that begins so may be a TLS ClientHello. */
export function isTlsStart(buffer: Uint8Array, offset: number, length: number): boolean {
  if (length < 3 || buffer[offset] !== HANDSHAKE_RECORD || buffer[offset + 1] !== 3) return false;
  if ((buffer[offset + 2] as number) > 4) return false;
  return length <= RECORD_HEADER_BYTES || buffer[offset + RECORD_HEADER_BYTES] === CLIENT_HELLO;
}

/**
 * Finds the SNI in the first `length` bytes of a TLS stream. A hello spread over several records is joined in `scratch`,
 * which bounds how much of it is looked at.
 */
export function searchTlsStream(
  buffer: Uint8Array,
  offset: number,
  length: number,
  scratch: Uint8Array<ArrayBuffer>,
): NameSearch {
  if (!isTlsStart(buffer, offset, length)) return NO_NAME;
  const end = offset + length;
  let at = offset;
  let joined = 0;
  while (at + RECORD_HEADER_BYTES <= end) {
    const recordLength = u16(buffer, at + 3);
    const isHandshake = buffer[at] === HANDSHAKE_RECORD && buffer[at + 1] === 3;
    if (!isHandshake || recordLength === 0 || recordLength > MAX_RECORD_BYTES) return NO_NAME;
    const start = at + RECORD_HEADER_BYTES;
    const available = Math.min(recordLength, end - start);
    if (at === offset) {
      const first = searchHandshake(buffer, start, available);
      if (first.kind !== "incomplete" || available < recordLength) return first;
    }
    if (joined + available > scratch.length) return NO_NAME;
    scratch.set(buffer.subarray(start, start + available), joined);
    joined += available;
    at = start + recordLength;
  }
  return searchHandshake(scratch, 0, joined);
}

/** One fragment of a DTLS ClientHello within a datagram. */
export interface DtlsFragment {
  readonly at: number; // where its bytes begin in the buffer
  readonly length: number; // how many of them are there
  readonly position: number; // where they belong in the body
  readonly bodyLength: number;
}

/** The ClientHello fragment at the start of a datagram, or undefined where it does not begin so. */
export function readDtlsFragment(buffer: Uint8Array, offset: number, length: number): DtlsFragment | undefined {
  if (length < DTLS_RECORD_HEADER_BYTES + DTLS_HANDSHAKE_HEADER_BYTES) return undefined;
  if (buffer[offset] !== HANDSHAKE_RECORD || buffer[offset + 1] !== 0xfe) return undefined;
  if (u16(buffer, offset + 3) !== 0) return undefined; // above epoch 0 all is encrypted
  const header = offset + DTLS_RECORD_HEADER_BYTES;
  if (buffer[header] !== CLIENT_HELLO) return undefined;
  const bodyLength = u24(buffer, header + 1);
  const position = u24(buffer, header + 6);
  const fragmentLength = u24(buffer, header + 9);
  if (bodyLength > MAX_HELLO_BYTES || position + fragmentLength > bodyLength) return undefined;
  const at = header + DTLS_HANDSHAKE_HEADER_BYTES;
  return { at, length: Math.min(fragmentLength, offset + length - at), position, bodyLength };
}

/** Finds the SNI in the first `length` bytes of a DTLS ClientHello's body of `bodyLength` bytes. */
export function searchDtlsBody(buffer: Uint8Array, offset: number, length: number, bodyLength: number): NameSearch {
  return searchBody(buffer, offset, offset + Math.min(length, bodyLength), offset + bodyLength, true);
}
