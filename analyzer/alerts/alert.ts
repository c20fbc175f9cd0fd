import { createHash } from "node:crypto";
import { z } from "zod";

const timeUs = z.number().int().nonnegative();
const count = z.number().int().nonnegative();
const end = z.object({ address: z.string(), name: z.string() });

const schema = z.discriminatedUnion("kind", [
  /** An edge that no rule permits is new, or counted again after a quiet time, or now denied. */
  z.object({
    kind: z.literal("edge"),
    uid: z.string(), // the same for the same news, however often it is sent
    atUs: timeUs, // when the report that counted it was received
    entry: count, // of the audit trail
    verdict: z.enum(["audited", "denied"]),
    scope: z.string(),
    generation: count,
    enforcer: z.string(),
    host: z.string(), // workload id
    direction: z.enum(["ingress", "egress"]),
    client: end,
    server: end,
    protocol: count,
    port: count, // server port; ICMP type << 8 | code
    attempts: count,
    firstUs: timeUs,
    lastUs: timeUs,
    beforeUs: timeUs.optional(), // when it was last counted before; absent: never
  }),
  /** What the rate left out since the last alert: so many edges more. */
  z.object({
    kind: z.literal("more"),
    uid: z.string(),
    atUs: timeUs,
    edges: count.min(1),
    denied: count, // of these
    attempts: count,
    scopes: z.array(z.string()),
    fromEntry: count, // of the audit trail, which names them all
    untilEntry: count,
  }),
  /** Alerts that this receiver never gets, because it was away for longer than the spool has room. */
  z.object({ kind: z.literal("gap"), uid: z.string(), atUs: timeUs, lost: count.min(1) }),
]);

/** One message to a receiver. */
export type Alert = Readonly<z.infer<typeof schema>>;
export type EdgeAlert = Extract<Alert, { kind: "edge" }>;
export type MoreAlert = Extract<Alert, { kind: "more" }>;

/** @throws {SyntaxError} If the text is no alert. */
export function parseAlert(text: string): Alert {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError("Cannot read alert: it is not JSON", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SyntaxError(`Cannot read alert: field ${parsed.error.issues[0]?.path.join(".")} is not as wanted`);
}

/** Depends on what is told alone, so that a receiver can drop what comes twice. */
export function alertUid(...told: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 32);
}
