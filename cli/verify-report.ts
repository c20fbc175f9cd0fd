import { readFileSync } from "node:fs";
import { join } from "node:path";
import { verifyAuditBundle } from "../analyzer/audit/verify-audit-bundle.js";
import { EXIT } from "./failure.js";
import { filesBelow } from "./read-folder.js";
import type { VerifyReportOptions } from "./verbs/report.js";

export function verifyReport(folder: string, options: VerifyReportOptions): void {
  const files = new Map(filesBelow("report", folder).map((path) => [path, readFileSync(join(folder, path))]));
  const problems = verifyAuditBundle(files, options.head);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ isIntact: problems.length === 0, problems }, undefined, 2)}\n`);
  else if (problems.length === 0) process.stdout.write(`"${folder}" is as it was made\n`);
  else for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = EXIT.no;
}
