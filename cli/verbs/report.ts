import { Command } from "commander";
import { type AuditFileOptions, addAuditOptions } from "../audit-option.js";
import { EXIT } from "../failure.js";
import { timeOption } from "../time-option.js";

export interface ReportOptions extends AuditFileOptions {
  readonly store: string;
  readonly from?: number;
  readonly to?: number;
  readonly out: string;
  readonly json?: true;
}

export interface VerifyReportOptions {
  readonly head?: string;
  readonly json?: true;
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
    .action(async (folder: string, options: VerifyReportOptions) =>
      (await import("../verify-report.js")).verifyReport(folder, options),
    );
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
    .action(async (options: ReportOptions) => (await import("../report.js")).makeReport(options));
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
