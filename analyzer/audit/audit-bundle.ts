import { createHash } from "node:crypto";
import { canonicalHash } from "../../policy/trust/canonical-json.js";
import type { AuditFigures } from "./audit-figures.js";
import type { AuditReport } from "./audit-report.js";
import type { AuditEntry } from "./audit-trail.js";
import { renderAuditCsv } from "./render-audit-csv.js";
import { renderAuditHtml } from "./render-audit-html.js";
import { renderOcsf } from "./render-ocsf.js";

export const AUDIT_MANIFEST_VERSION = 1;
export const MANIFEST = "manifest.json";

export interface AuditFile {
  readonly path: string;
  readonly text: string;
}

/** What the files of a report were when it was made. */
export interface AuditManifest {
  readonly version: typeof AUDIT_MANIFEST_VERSION;
  readonly software: string; // Portolan's version
  readonly fromUs: number;
  readonly untilUs: number;
  readonly chain: AuditReport["chain"];
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[]; // by path
  readonly seal: string; // hash of everything above
}

export const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export function sealOf({ seal: _, ...rest }: AuditManifest): string {
  return canonicalHash(JSON.parse(JSON.stringify(rest)));
}

const lines = (entries: readonly AuditEntry[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

/** The files of a report: for people, for spreadsheets, for programs, for a SIEM, and what all of them rest on. */
export function auditBundle(report: AuditReport, figures: AuditFigures, software: string): AuditFile[] {
  const files: AuditFile[] = [
    { path: "edges.csv", text: renderAuditCsv(report) },
    { path: "entries.jsonl", text: lines(figures.entries) },
    { path: "ocsf.jsonl", text: renderOcsf(report.scopes, software) },
    { path: "policies.jsonl", text: lines(figures.policies) },
    { path: "report.html", text: renderAuditHtml(report) },
    { path: "report.json", text: `${JSON.stringify(report, undefined, 2)}\n` },
  ];
  const unsealed: AuditManifest = {
    version: AUDIT_MANIFEST_VERSION,
    software,
    fromUs: report.fromUs,
    untilUs: report.untilUs,
    chain: report.chain,
    files: files.map(({ path, text }) => ({ path, bytes: Buffer.byteLength(text), sha256: sha256(text) })),
    seal: "",
  };
  const manifest = { ...unsealed, seal: sealOf(unsealed) };
  return [...files, { path: MANIFEST, text: `${JSON.stringify(manifest, undefined, 2)}\n` }];
}
