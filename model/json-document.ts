import { z } from "zod";

/** A document longer than this is none of ours: it is refused before it is read. */
const LONGEST_BYTES = 1 << 20;

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function encodeDocument(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

/**
 * Reads a JSON document that came from outside.
 * @param what names it in the message, e.g. "sensor heartbeat"
 * @throws {SyntaxError} If the bytes are not such a document; one line that says where.
 */
export function parseDocument<T>(what: string, schema: z.ZodType<T>, bytes: Uint8Array): T {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new SyntaxError(`Cannot read ${what}: ${reason}`, { cause });
  };
  if (bytes.length > LONGEST_BYTES) refuse(`it has ${bytes.length} bytes, wanted at most ${LONGEST_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    refuse("wanted JSON in UTF-8", error);
  }
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
  return refuse(`${place}${issue?.message ?? "wanted another shape"}`, parsed.error);
}
