import type { AuditDocument } from "../../../analyzer/audit/audit-trail.js";
import type { VerdictEdge, VerdictReport } from "../../../model/verdict-report.js";

/** 2026-01-05T08:00:00Z */
export const T0 = Date.UTC(2026, 0, 5, 8) * 1000;
export const MINUTE = 60_000_000;

export function sampleEdge(edge: Partial<VerdictEdge> = {}, atUs = T0): VerdictEdge {
  return {
    direction: "ingress",
    client: "10.0.0.9",
    server: "10.0.0.2",
    protocol: 6,
    port: 5432,
    attempts: 1,
    verdict: "audited",
    firstUs: atUs,
    lastUs: atUs,
    ...edge,
  };
}

/** A verdict report as it came; `sequence` makes it another one. */
export function reportDocument(
  sequence: number,
  edges: readonly VerdictEdge[],
  { scope = "shop", atUs = T0, mode = "audit" as VerdictReport["mode"] } = {},
): AuditDocument {
  const report: VerdictReport = {
    version: 1,
    enforcer: "enforcer-1",
    host: "shop/db",
    boot: "b1",
    sequence,
    fromUs: atUs - 10_000_000,
    untilUs: atUs,
    scope,
    generation: 7,
    mode,
    state: mode,
    counters: { missed: 1, repeated: 0, recorded: 1, denied: 0, invalid: 0, midstream: 0 },
    unrecorded: 0,
    edges,
    permits: [],
  };
  return { kind: "verdicts", id: `enforcer-1/b1/${sequence}`, receivedUs: atUs, text: JSON.stringify(report) };
}
