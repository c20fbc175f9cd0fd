import { createHash } from "node:crypto";

/** Deeper than anything we write; a hostile document ends here instead of at the end of the stack. */
const MAX_DEPTH = 64;

/**
 * JSON with one spelling for each value (RFC 8785): members sorted by UTF-16 code units, no white space, numbers and
 * strings as ECMAScript writes them. Members that are undefined are left out.
 * @throws {RangeError} For a number that JSON cannot say, or nesting of more than 64 levels.
 */
export function canonicalJson(value: unknown): string {
  return text(value, 0);
}

function text(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`Cannot write JSON: wanted at most ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return `[${value.map((item) => text(item ?? null, depth + 1)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${text(member, depth + 1)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new RangeError(`Cannot write JSON: ${value} is no JSON number`);
  }
  return JSON.stringify(value);
}

/** `sha256:` and the hash, in hexadecimal, of a value's one spelling. */
export function canonicalHash(value: unknown): string {
  return `sha256:${createHash("sha256").update(canonicalJson(value)).digest("hex")}`;
}
