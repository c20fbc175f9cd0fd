import type { AuditDocument } from "../../../analyzer/audit/audit-trail.js";
import { encodeVerdictReport, type VerdictReport } from "../../../model/verdict-report.js";

/** 2026-06-01T12:00:00Z, in microseconds. */
export const NOON = Date.UTC(2026, 5, 1, 12) * 1000;
export const MINUTE = 60_000_000;

export const edge = (
  client: string,
  server: string,
  port: number,
  attempts: number,
  more: Partial<VerdictReport["edges"][number]> = {},
): VerdictReport["edges"][number] => ({
  direction: "ingress",
  client,
  server,
  protocol: 6,
  port,
  attempts,
  verdict: "audited",
  firstUs: NOON,
  lastUs: NOON + MINUTE,
  ...more,
});

/** A report of the host shop/api. What matters is said, the rest has a plain value. */
export function reportOf(sequence: number, more: Partial<VerdictReport> = {}): VerdictReport {
  const recorded = (more.edges ?? []).reduce((sum, { attempts }) => sum + attempts, 0);
  return {
    version: 1,
    enforcer: "host-api",
    host: "shop/api",
    boot: "boot-1",
    sequence,
    fromUs: NOON + (sequence - 1) * MINUTE,
    untilUs: NOON + sequence * MINUTE,
    scope: "shop",
    generation: 3,
    mode: "audit",
    state: "audit",
    counters: { missed: recorded, repeated: 0, recorded, denied: 0, invalid: 0, midstream: 0 },
    unrecorded: 0,
    edges: [],
    permits: [],
    ...more,
  };
}

export function documentOf(report: VerdictReport, receivedUs = report.untilUs): AuditDocument {
  const { enforcer, boot, sequence } = report;
  const text = new TextDecoder().decode(encodeVerdictReport(report));
  return { kind: "verdicts", id: `${enforcer}/${boot}/${sequence}`, receivedUs, text };
}
