import { createHash } from "node:crypto";

/**
 * A document as it came, kept for good and never changed.
 * - `verdicts`: what an enforcer counted, a verdict report in JSON; its id is `enforcer/boot/sequence`.
 * - `policy`: a signed policy set; its id is `scope/sha256 of the text`.
 */
export interface AuditDocument {
  readonly kind: "verdicts" | "policy";
  readonly id: string; // unique in its kind: the same document comes as often as it likes and is kept once
  readonly receivedUs: number;
  readonly text: string;
}

/** A document in its place: `link` vouches for it and for everything before it. */
export interface AuditEntry extends AuditDocument {
  readonly number: number; // 1, 2, 3 ...
  readonly link: string; // 64 hexadecimal digits
}

/** What stands before the first entry. */
export const FIRST_LINK = createHash("sha256").update("portolan audit trail 1").digest("hex");

/**
 * SHA-256 over the link before and the document, each part preceded by its length, so that no two trails read the same.
 * Whoever changes, removes or moves an entry has to make every later link anew, and the last one no longer fits what was
 * noted elsewhere (a hash chain, as in RFC 6962 without its tree).
 */
export function nextLink(before: string, { kind, id, receivedUs, text }: AuditDocument): string {
  const hash = createHash("sha256").update(before);
  for (const part of [kind, id, String(receivedUs), text]) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}

/** The first entry whose link does not follow from the one before, beginning behind `before`; absent when all do. */
export function brokenEntry(before: string, entries: readonly AuditEntry[]): AuditEntry | undefined {
  let link = before;
  let number: number | undefined;
  for (const entry of entries) {
    link = nextLink(link, entry);
    if (entry.link !== link || (number !== undefined && entry.number !== number + 1)) return entry;
    number = entry.number;
  }
  return undefined;
}
