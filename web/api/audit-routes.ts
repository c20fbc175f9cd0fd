import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AuditReport } from "../../analyzer/audit/audit-report.js";
import { renderAuditCsv } from "../../analyzer/audit/render-audit-csv.js";
import { renderAuditHtml } from "../../analyzer/audit/render-audit-html.js";
import { renderOcsf } from "../../analyzer/audit/render-ocsf.js";
import type { ExplorerSource } from "../../analyzer/explorer.js";
import { auditAnswer } from "./audit-answer.js";
import { attachment } from "./bundle-files.js";
import * as contract from "./contract.js";
import type { RouteParts } from "./routes.js";

interface Download {
  readonly name: string;
  readonly type: string;
  readonly summary: string;
  readonly render: (report: AuditReport, version: string) => string;
}

const DOWNLOADS: readonly Download[] = [
  {
    name: "report.html",
    type: "text/html; charset=utf-8",
    summary: "The report as one page to print or send",
    render: (report) => renderAuditHtml(report),
  },
  {
    name: "report.csv",
    type: "text/csv; charset=utf-8",
    summary: "Every edge, one row each",
    render: (report) => renderAuditCsv(report),
  },
  {
    name: "report.json",
    type: "application/json; charset=utf-8",
    summary: "The whole report, unbounded",
    render: (report) => `${JSON.stringify(report, undefined, 2)}\n`,
  },
  {
    name: "ocsf.jsonl",
    type: "application/x-ndjson",
    summary: "Every edge as OCSF Network Activity, one event a line",
    render: ({ scopes }, version) => renderOcsf(scopes, version),
  },
];

/** A report reads the whole span, so the page and its downloads share the newest one. */
function newestReport(source: ExplorerSource): (fromUs: number, untilUs: number) => Promise<AuditReport> {
  let newest: { readonly key: string; readonly report: Promise<AuditReport> } | undefined;
  return (fromUs, untilUs) => {
    const key = `${source.revision()} ${fromUs} ${untilUs}`;
    if (newest?.key === key) return newest.report;
    const made = { key, report: source.audit({ fromUs, untilUs }).then(({ report }) => report) };
    newest = made;
    made.report.catch(() => {
      if (newest === made) newest = undefined;
    });
    return made.report;
  };
}

function spanOf({ from, until }: z.infer<typeof contract.AuditParams>): [number, number] {
  if (from >= until)
    throw new SyntaxError(`Cannot report from ${from} until ${until}: wanted a span that ends after it begins`);
  return [from, until];
}

/** The questions about enforcement, and the report to take along. */
export function auditRoutes(instance: FastifyInstance, { source, version }: RouteParts): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const reportOf = newestReport(source);

  app.get("/api/audit", {
    schema: {
      summary: "What was enforced in a span: hosts, edges that no rule permits, approvals and gates of each policy",
      querystring: contract.AuditParams,
      response: { 200: contract.AuditAnswer, 400: contract.Problem },
    },
    handler: async ({ query }) => {
      const revision = source.revision();
      return auditAnswer(await reportOf(...spanOf(query)), revision);
    },
  });

  for (const { name, type, summary, render } of DOWNLOADS) {
    app.get(`/api/audit/${name}`, {
      schema: {
        summary,
        querystring: contract.AuditParams,
        response: { 200: z.string(), 400: contract.Problem },
      },
      handler: async ({ query }, reply) => {
        const report = await reportOf(...spanOf(query));
        reply
          .header("content-disposition", attachment(`portolan-${name}`))
          .type(type)
          .serializer(String);
        return render(report, version);
      },
    });
  }
}
