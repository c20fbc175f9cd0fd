import type { DuckDBValue } from "@duckdb/node-api";
import { parseVerdictReport } from "../../model/verdict-report.js";
import { type AuditDocument, FIRST_LINK, nextLink } from "../audit/audit-trail.js";
import type { Database } from "./database.js";
import type { LogPosition } from "./intake.js";
import { storeErrorOf } from "./store-error.js";

/** Rows of one statement: DuckDB takes some thousand values at once well. */
const ROWS_AT_ONCE = 500;

async function insert(database: Database, table: string, rows: readonly (readonly DuckDBValue[])[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const part = rows.slice(from, from + ROWS_AT_ONCE);
    const width = part[0]?.length ?? 0;
    const tuples = part.map((_, row) => `(${Array.from({ length: width }, (_, i) => `$${row * width + i + 1}`)})`);
    await database.connection.run(`INSERT INTO ${table} VALUES ${tuples}`, part.flat());
  }
}

/** What can be asked of a verdict report, beside its text. */
async function insertVerdicts(database: Database, number: number, { text }: AuditDocument): Promise<void> {
  const report = parseVerdictReport(new TextEncoder().encode(text));
  const { enforcer, host, boot, sequence, scope, generation, mode, state, fromUs, untilUs, counters } = report;
  const { missed, repeated, recorded, denied, invalid, midstream } = counters;
  const name = [number, enforcer, host, boot, sequence, scope, generation, mode, state, fromUs, untilUs];
  await insert(database, "verdict_reports", [
    [...name, missed, repeated, recorded, denied, invalid, midstream, report.unrecorded],
  ]);
  await insert(
    database,
    "verdict_edges",
    report.edges.map((edge) => [
      ...[number, edge.direction, edge.client, edge.server, edge.protocol, edge.port],
      ...[edge.attempts, edge.verdict, edge.firstUs, edge.lastUs],
    ]),
  );
  await insert(
    database,
    "verdict_permits",
    report.permits.map(({ rule, packets }) => [number, rule, packets]),
  );
}

/**
 * Adds documents to the audit trail, each once, together with the positions of the logs they came from: all or nothing.
 * Answers how many were new. @throws {StoreError}
 */
export async function appendAudit(
  database: Database,
  documents: readonly AuditDocument[],
  positions: readonly LogPosition[],
): Promise<number> {
  try {
    return await database.transaction(async () => {
      const [last] = await database.rows("SELECT number, link FROM audit_trail ORDER BY number DESC LIMIT 1");
      let number = Number(last?.[0] ?? 0);
      let link = String(last?.[1] ?? FIRST_LINK);
      const before = number;
      for (const document of documents) {
        const { kind, id, receivedUs, text } = document;
        const [known] = await database.rows("SELECT 1 FROM audit_trail WHERE kind = $1 AND id = $2", [kind, id]);
        if (known !== undefined) continue;
        link = nextLink(link, document);
        number++;
        await insert(database, "audit_trail", [[number, kind, id, receivedUs, text, link]]);
        if (kind === "verdicts") await insertVerdicts(database, number, document);
      }
      await database.positions.write(database.connection, positions);
      return number - before;
    });
  } catch (cause) {
    throw storeErrorOf("write to", database.options.path, cause);
  }
}
