import type { EnforcementState, VerdictCounters } from "../../model/verdict-report.js";
import type { AuditEntry } from "./audit-trail.js";

/** Traffic that no rule permits, as enforcers counted it: one row for each conversation of a scope, all hosts together. */
export interface CountedEdge {
  readonly scope: string;
  readonly direction: "ingress" | "egress";
  readonly client: string; // address
  readonly server: string;
  readonly protocol: number;
  readonly port: number; // server port; ICMP type << 8 | code
  readonly audited: number; // attempts let through, because no lease lived
  readonly denied: number; // attempts dropped
  readonly hosts: readonly string[]; // that counted it, sorted
  readonly firstUs: number; // in the span
  readonly lastUs: number;
  readonly everFirstUs: number; // at any time
}

/** What one enforcer said of one scope in the span, and how it stood at its last word. */
export interface EnforcerStanding {
  readonly scope: string;
  readonly enforcer: string;
  readonly host: string; // workload id
  readonly generation: number;
  readonly mode: "audit" | "deny";
  readonly modeSinceUs: number; // the first report of the unbroken run of this mode, also before the span
  readonly state: EnforcementState;
  readonly firstReportUs: number; // in the span
  readonly lastReportUs: number;
  readonly reports: number;
  readonly missingReports: number; // numbers that never came, of the starts that reported in the span
  readonly counters: VerdictCounters;
  readonly unrecorded: number;
}

export interface PermitUse {
  readonly scope: string;
  readonly rule: string;
  readonly packets: number; // first packets of connections
}

/** Everything that the trail says of a span, by the time of receipt. All lists are sorted. */
export interface AuditFigures {
  readonly before: string; // link in front of the first entry
  readonly entries: readonly AuditEntry[];
  readonly policies: readonly AuditEntry[]; // signed policy sets received before the end, also before the span
  readonly edges: readonly CountedEdge[];
  readonly enforcers: readonly EnforcerStanding[];
  readonly permits: readonly PermitUse[];
}
