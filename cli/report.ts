import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { Analyzer } from "../analyzer/analyzer.js";
import { auditBundle } from "../analyzer/audit/audit-bundle.js";
import type { AuditReport } from "../analyzer/audit/audit-report.js";
import { verifyAuditBundle } from "../analyzer/audit/verify-audit-bundle.js";
import { formatTimeUs } from "../model/time-window.js";
import { type AuditFileOptions, addAuditOptions, readAuditFiles } from "./audit-option.js";
import { EXIT, Failure } from "./failure.js";
import { filesBelow } from "./read-folder.js";
import { timeOption } from "./time-option.js";
import { VERSION } from "./version.js";
import { writeFiles } from "./write-files.js";

interface ReportOptions extends AuditFileOptions {
  readonly store: string;
  readonly from?: number;
  readonly to?: number;
  readonly out: string;
  readonly json?: true;
}

const DAY_US = 86_400_000_000;

function summary(report: AuditReport, out: string): string {
  const lines = report.scopes.map(({ scope, generation, hosts, edges, gates }) => {
    const count = (standing: string) => edges.filter((edge) => edge.standing === standing).length;
    const unmet = gates.filter(({ isMet }) => !isMet);
    const deny = hosts.filter(({ mode }) => mode === "deny").length;
    return [
      `${scope}, generation ${generation}: ${hosts.length} hosts report, ${deny} in deny mode`,
      `  edges that no rule permits: ${count("new")} new, ${count("known")} known, ${count("accepted")} accepted`,
      ...unmet.map(({ name, value, wanted }) => `  not met: ${name}: ${value}, wanted ${wanted}`),
      "",
    ].join("\n");
  });
  const from = formatTimeUs(report.fromUs);
  return `${lines.join("")}${report.scopes.length} policies, ${from} to ${formatTimeUs(report.untilUs)}, written to ${out}
last link of the audit trail: ${report.chain.head}
`;
}

async function makeReport(options: ReportOptions): Promise<void> {
  if (!existsSync(options.store)) {
    throw new Failure(`Cannot open store "${options.store}": there is no such file`, EXIT.input);
  }
  const untilUs = options.to ?? Date.now() * 1000;
  const fromUs = options.from ?? untilUs - DAY_US;
  if (fromUs >= untilUs) {
    throw new Failure(
      `Cannot report from ${formatTimeUs(fromUs)} to ${formatTimeUs(untilUs)}: wanted a span that ends after it begins`,
      EXIT.input,
    );
  }
  const analyzer = await Analyzer.open({ path: options.store, audit: await readAuditFiles(options) });
  try {
    const { report, figures } = await analyzer.audit({ fromUs, untilUs });
    writeFiles(options.out, auditBundle(report, figures, VERSION));
    process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : summary(report, options.out));
  } finally {
    await analyzer.close();
  }
}

interface VerifyOptions {
  readonly head?: string;
  readonly json?: true;
}

function verifyReport(folder: string, options: VerifyOptions): void {
  const files = new Map(filesBelow("report", folder).map((path) => [path, readFileSync(join(folder, path))]));
  const problems = verifyAuditBundle(files, options.head);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ isIntact: problems.length === 0, problems }, undefined, 2)}\n`);
  else if (problems.length === 0) process.stdout.write(`"${folder}" is as it was made\n`);
  else for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = EXIT.no;
}

export function reportCommand(): Command {
  const verify = new Command("verify")
    .description("find a changed byte in the files of a report")
    .argument("<dir>", "folder that portolan report wrote")
    .option("--head <link>", "the last link, as it was noted elsewhere when the report was made")
    .option("--json", "print what is wrong as JSON")
    .addHelpText(
      "after",
      `
Exit codes: ${EXIT.done} every file is as it was made, ${EXIT.no} something was changed.

Example:
  portolan report verify report-november`,
    )
    .action(verifyReport);
  const make = addAuditOptions(new Command("make").description("write a report (also without the word make)"))
    .requiredOption("--store <file>", "DuckDB file of an analyzer that is not running")
    .option("--from <time>", "RFC 3339; reports received from then on (default: a day before --to)", timeOption)
    .option("--to <time>", "RFC 3339; up to, not including, then (default: now)", timeOption)
    .requiredOption("-o, --out <dir>", "folder for the files")
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
A running analyzer serves the same report on its page "Enforcement".

Example:
  portolan report --store portolan.duckdb --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --out report-november`,
    )
    .action(makeReport);
  return new Command("report")
    .description("what was denied and what would be, for security teams: HTML, CSV, JSON, OCSF")
    .addCommand(make, { isDefault: true })
    .addCommand(verify)
    .addHelpText(
      "after",
      `
Options of a report: portolan report make --help

Examples:
  portolan report --store portolan.duckdb --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --out report-november
  portolan report verify report-november`,
    );
}
