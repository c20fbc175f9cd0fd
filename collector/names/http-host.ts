import { INCOMPLETE, MAX_NAME_BYTES, type NameSearch, NO_NAME, wireText } from "./name-search.js";

/*
 * RFC 9112, sections 3 and 5.
 *
 *     method SP target SP "HTTP/1." minor CRLF *( field-name ":" OWS value OWS CRLF ) CRLF
 *     target  /path | http://host:port/path | host:port (CONNECT) | *
 *
 * A missing target, minor version or space before the version is let pass: servers answer such requests too.
 *
 * To a forward proxy the target names the server behind it: that is what the client meant to reach.
 */
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const MAX_METHOD_BYTES = 17; // the longest registered is VERSION-CONTROL

const VERSION = [..."HTTP/1."].map((character) => character.charCodeAt(0));
const HOST = [..."host:"].map((character) => character.charCodeAt(0));
const CONNECT = [..."CONNECT "].map((character) => character.charCodeAt(0));

function hasBytes(buffer: Uint8Array, at: number, end: number, bytes: readonly number[], caseBit = 0): boolean {
  if (at + bytes.length > end) return false;
  for (let i = 0; i < bytes.length; i++) {
    if (((buffer[at + i] as number) | caseBit) !== bytes[i]) return false;
  }
  return true;
}

function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d || byte === 0x5f;
}

/** Where the method that a stream begins with ends; 0 where it begins with none. */
function methodBytes(buffer: Uint8Array, offset: number, end: number): number {
  let at = offset;
  const limit = Math.min(end, offset + MAX_METHOD_BYTES);
  while (at < limit && isMethodByte(buffer[at] as number)) at++;
  return at - offset >= 3 && at < end && buffer[at] === SPACE ? at - offset : 0;
}

/** Whether a stream that begins so may be an HTTP/1 request. */
export function isHttpStart(buffer: Uint8Array, offset: number, length: number): boolean {
  return methodBytes(buffer, offset, offset + length) > 0;
}

/** The host of `host`, `host:port`, `[v6]`, `[v6]:port`, `user@host`. */
function hostOf(buffer: Uint8Array, from: number, to: number): NameSearch {
  let start = from;
  let end = to;
  for (let at = start; at < end; at++) if (buffer[at] === 0x40) start = at + 1;
  if (buffer[start] === 0x5b && start < end) {
    let close = start;
    while (close < end && buffer[close] !== 0x5d) close++;
    start++;
    end = close;
  } else {
    for (let at = start; at < end; at++) {
      if (buffer[at] === COLON) {
        end = at;
        break;
      }
    }
  }
  if (end > start && buffer[end - 1] === 0x2e) end--; // the root's dot: the same name
  if (end <= start || end - start > MAX_NAME_BYTES) return NO_NAME;
  return { kind: "name", name: wireText(buffer, start, end) };
}

/** The authority of an absolute-form or CONNECT target; undefined for the other forms. */
function authority(buffer: Uint8Array, offset: number, target: number, targetEnd: number): NameSearch | undefined {
  if (buffer[target] === 0x2f || buffer[target] === 0x2a || target >= targetEnd) return undefined;
  if (hasBytes(buffer, offset, target, CONNECT)) return hostOf(buffer, target, targetEnd);
  let at = target;
  while (at < targetEnd && buffer[at] !== COLON) at++;
  if (at + 3 > targetEnd || buffer[at + 1] !== 0x2f || buffer[at + 2] !== 0x2f) return undefined;
  let end = at + 3;
  while (end < targetEnd && buffer[end] !== 0x2f && buffer[end] !== 0x3f && buffer[end] !== 0x23) end++;
  return hostOf(buffer, at + 3, end);
}

/** Finds the host that an HTTP/1 request is for in the first `length` bytes of its stream. The port is left out. */
export function searchHttpHost(buffer: Uint8Array, offset: number, length: number): NameSearch {
  const end = offset + length;
  const method = methodBytes(buffer, offset, end);
  if (method === 0) return NO_NAME;
  let lineEnd = offset + method;
  while (lineEnd < end && buffer[lineEnd] !== LF) lineEnd++;
  if (lineEnd === end) return INCOMPLETE;
  const contentEnd = buffer[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
  const target = offset + method + 1;
  let version = contentEnd - VERSION.length;
  if (!hasBytes(buffer, version, contentEnd, VERSION)) version--; // with its minor digit
  if (version < target || !hasBytes(buffer, version, contentEnd, VERSION)) return NO_NAME;
  const targetEnd = buffer[version - 1] === SPACE ? version - 1 : version;
  const fromTarget = authority(buffer, offset, target, targetEnd);
  if (fromTarget !== undefined) return fromTarget;
  for (;;) {
    const line = lineEnd + 1;
    lineEnd = line;
    while (lineEnd < end && buffer[lineEnd] !== LF) lineEnd++;
    if (lineEnd === end) return INCOMPLETE;
    if (hasBytes(buffer, line, lineEnd, HOST, 0x20)) {
      let from = line + HOST.length;
      let to = lineEnd;
      while (from < to && (buffer[from] === SPACE || buffer[from] === TAB)) from++;
      while (to > from && (buffer[to - 1] as number) <= SPACE) to--;
      return hostOf(buffer, from, to);
    }
    if (lineEnd === line || (lineEnd === line + 1 && buffer[line] === CR)) return NO_NAME;
  }
}
