import { z } from "zod";
import { formatAddress, tryParseAddress } from "./address.js";

/**
 * What one enforcer counted of one policy set on one host since its report before. It travels on `portolan.verdicts`
 * as JSON under the enforcer's id. Numbers are differences, so reports are added up and never averaged; `sequence`
 * grows by 1 for each report of one `boot`, over all scopes, so that a report that is missing or comes twice is seen.
 */
export const VERDICT_REPORT_VERSION = 1;

/** Edges and permits of one report together; an enforcer with more to say sends several, see `splitVerdictReport`. */
export const MOST_ENTRIES = 4000;

export const ENFORCEMENT_STATES = [
  "proposed",
  "simulated",
  "approved",
  "warm-up",
  "audit",
  "ready",
  "trial",
  "deny",
  "rollback",
  "paused",
  "quarantine",
] as const;

/** Of one policy set on one host. The kernel drops in `trial` and `deny` only, and there only while the lease lives. */
export type EnforcementState = (typeof ENFORCEMENT_STATES)[number];

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const timeUs = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const byte = z.number().int().min(0).max(255);
const point = z.number().int().min(0).max(65535);
const name = (most: number) => z.string().min(1).max(most);
const address = z.string().refine(
  (text) => {
    const parsed = tryParseAddress(text);
    return parsed !== undefined && formatAddress(parsed) === text;
  },
  { error: "wanted an address in canonical text" },
);

const conversation = {
  direction: z.enum(["ingress", "egress"]), // as seen from the isolated workload
  client: address,
  server: address, // behind a published port: the address that the kernel had put in its place
  protocol: byte,
  /** Server port; ICMP type << 8 | code; 0 where the protocol has neither. */
  port: point,
};

const counters = z.strictObject({
  missed: count, // packets that no rule permits, retransmissions included
  repeated: count, // of these: the same attempt again
  recorded: count, // of these: attempts that stand in `edges`, of this report or of an earlier one
  denied: count, // of these: packets dropped, because the lease lived
  // Of the whole host, so the same in the reports of all its scopes, and let through:
  invalid: count, // TCP packets that fit no connection
  midstream: count, // TCP packets of unknown connections that open none
});

export const verdictReportSchema = z.strictObject({
  version: z.literal(VERDICT_REPORT_VERSION, {
    error: `wanted ${VERDICT_REPORT_VERSION}, the only version of this format`,
  }),
  enforcer: name(253),
  host: name(512), // workload id
  boot: name(64), // of the enforcer: new at each start
  sequence: count,
  fromUs: timeUs,
  untilUs: timeUs,
  scope: z.string().regex(/^[a-z0-9-]{1,63}$/, { error: "wanted the name of a policy set" }),
  generation: count.min(1),
  mode: z.enum(["audit", "deny"]), // deny while the kernel held a lease at `untilUs`
  state: z.enum(ENFORCEMENT_STATES),
  leaseRemainingMs: z.exactOptional(count), // absent without a lease, and with one that does not end
  counters,
  /** Attempts that no edge accounts for, because a kernel set was full: with any of them the edges are incomplete. */
  unrecorded: count,
  edges: z
    .array(
      z.strictObject({
        ...conversation,
        attempts: count.min(1), // since the report before
        verdict: z.enum(["audited", "denied"]),
        firstUs: timeUs, // times of readings, not of packets: the kernel counts without a clock
        lastUs: timeUs,
      }),
    )
    .max(MOST_ENTRIES)
    .readonly(),
  permits: z
    .array(z.strictObject({ rule: name(253), packets: count.min(1) }))
    .max(MOST_ENTRIES)
    .readonly(), // first packets of connections that a rule permitted; a packet that several rules permit counts for each
  /** Single packets as an illustration, from a log that may lose any of them. */
  examples: z.exactOptional(
    z
      .array(z.strictObject({ ...conversation, clientPort: point, interface: z.string().max(15), atUs: timeUs }))
      .max(100)
      .readonly(),
  ),
});

export type VerdictReport = Readonly<z.infer<typeof verdictReportSchema>>;
export type VerdictCounters = Readonly<z.infer<typeof counters>>;
export type VerdictEdge = VerdictReport["edges"][number];
export type VerdictPermit = VerdictReport["permits"][number];
export type VerdictExample = NonNullable<VerdictReport["examples"]>[number];

export function encodeVerdictReport(report: VerdictReport): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(report));
}

/** @throws {SyntaxError} In one line, if the bytes are not a whole report of this version. */
export function parseVerdictReport(bytes: Uint8Array): VerdictReport {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SyntaxError("Cannot read verdict report: it is not JSON", { cause: error });
  }
  const parsed = verdictReportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "" : ` field ${issue.path.join(".")}`;
  throw new SyntaxError(`Cannot read verdict report${field}: ${issue?.message ?? "wanted a verdict report"}`);
}

const NOTHING: VerdictCounters = { missed: 0, repeated: 0, recorded: 0, denied: 0, invalid: 0, midstream: 0 };

/**
 * The same in reports of at most `most` entries, numbered on from the first: one message has to fit on the stream. The
 * counters stand in the first of them.
 */
export function splitVerdictReport(report: VerdictReport, most = MOST_ENTRIES): VerdictReport[] {
  const reports: VerdictReport[] = [];
  const { examples, ...rest } = report;
  let [edge, permit] = [0, 0];
  do {
    const edges = report.edges.slice(edge, edge + most);
    const permits = report.permits.slice(permit, permit + most - edges.length);
    edge += edges.length;
    permit += permits.length;
    const sequence = report.sequence + reports.length;
    const isFirst = reports.length === 0;
    reports.push({
      ...rest,
      ...(isFirst ? {} : { counters: NOTHING, unrecorded: 0 }),
      ...(isFirst && examples !== undefined ? { examples } : {}),
      sequence,
      edges,
      permits,
    });
  } while (edge < report.edges.length || permit < report.permits.length);
  return reports;
}
