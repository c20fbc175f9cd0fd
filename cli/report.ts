import { existsSync } from "node:fs";
import { Analyzer } from "../analyzer/analyzer.js";
import { auditBundle } from "../analyzer/audit/audit-bundle.js";
import type { AuditReport } from "../analyzer/audit/audit-report.js";
import { formatTimeUs } from "../model/time-window.js";
import { EXIT, Failure } from "./failure.js";
import { readAuditFiles } from "./read-audit-files.js";
import type { ReportOptions } from "./verbs/report.js";
import { VERSION } from "./version.js";
import { writeFiles } from "./write-files.js";

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

export async function makeReport(options: ReportOptions): Promise<void> {
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
