import { type EnforcementState, splitVerdictReport, type VerdictReport } from "../model/verdict-report.js";
import type { ScopeCounts } from "./enforcer-kernel.js";

/** Who counted, when, and in what state. */
export interface CountingHost {
  readonly host: string;
  readonly enforcer: string;
  readonly boot: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly phase: EnforcementState;
  readonly lease: number | "permanent" | undefined; // what is left of it, in milliseconds; undefined in audit
}

/** What the kernel counted of one scope as reports, numbered from `sequence` on. */
export function verdictReportsOf(counts: ScopeCounts, by: CountingHost, sequence: number): VerdictReport[] {
  const { host, enforcer, boot, fromUs, untilUs, phase, lease } = by;
  return splitVerdictReport({
    version: 1,
    enforcer,
    host,
    boot,
    sequence,
    fromUs,
    untilUs,
    scope: counts.scope,
    generation: counts.generation,
    mode: lease === undefined ? "audit" : "deny",
    state: phase,
    ...(typeof lease === "number" ? { leaseRemainingMs: lease } : {}),
    counters: counts.counters,
    unrecorded: counts.unrecorded,
    edges: counts.edges.map((edge) => ({ ...edge, firstUs: fromUs, lastUs: untilUs })),
    permits: counts.permits,
  });
}
