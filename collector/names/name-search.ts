/** What a search for a name in the first bytes of a stream found. */
export type NameSearch =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "incomplete" } // so far well formed, the name may still come
  | { readonly kind: "none" }; // not this protocol, faulty, or whole and without a name

export const NO_NAME: NameSearch = { kind: "none" };
export const INCOMPLETE: NameSearch = { kind: "incomplete" };

/** Longest host name that is taken from the wire, in bytes: the limit of DNS. */
export const MAX_NAME_BYTES = 255;

/** Per byte its text: printable ASCII in lower case, all else (also space and backslash) as `\DDD`. */
const BYTE_TEXT: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte > 0x20 && byte < 0x7f && byte !== 0x5c
    ? String.fromCharCode(byte).toLowerCase()
    : `\\${String(byte).padStart(3, "0")}`,
);

/** Text of the wire bytes [start, end), safe to print: lower case, what is not printable as `\DDD`. The caller checks bounds. */
export function wireText(buffer: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) text += BYTE_TEXT[buffer[at] as number] as string;
  return text;
}
