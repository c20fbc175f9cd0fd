import type { EnforcementState } from "../../model/verdict-report.js";
import type { AuditFigures, CountedEdge, EnforcerStanding, PermitUse } from "../audit/audit-figures.js";
import { type AuditEntry, FIRST_LINK } from "../audit/audit-trail.js";
import type { Database } from "./database.js";

const ENTRY = "number, kind, id, received_us, text, link";

function entryOf([number, kind, id, receivedUs, text, link]: unknown[]): AuditEntry {
  return {
    number: Number(number),
    kind: kind as AuditEntry["kind"],
    id: String(id),
    receivedUs: Number(receivedUs),
    text: String(text),
    link: String(link),
  };
}

const EDGE_KEY = "scope, direction, client, server, protocol, port";

async function edgesOf(database: Database, first: number, last: number): Promise<CountedEdge[]> {
  const rows = await database.rows(
    `WITH all_edges AS (SELECT r.scope, r.host, e.* FROM verdict_edges e JOIN verdict_reports r USING (entry) WHERE e.entry <= $2),
          ever AS (SELECT ${EDGE_KEY}, min(first_us) AS ever_us FROM all_edges GROUP BY ALL)
     SELECT ${EDGE_KEY},
            coalesce(sum(attempts) FILTER (verdict = 'audited'), 0), coalesce(sum(attempts) FILTER (verdict = 'denied'), 0),
            list_sort(list(DISTINCT host)), min(first_us), max(last_us), any_value(ever_us)
     FROM all_edges JOIN ever USING (${EDGE_KEY}) WHERE entry >= $1 GROUP BY ${EDGE_KEY} ORDER BY ${EDGE_KEY}`,
    [first, last],
  );
  return rows.map(([scope, direction, client, server, protocol, port, audited, denied, hosts, from, until, ever]) => ({
    scope: String(scope),
    direction: direction as CountedEdge["direction"],
    client: String(client),
    server: String(server),
    protocol: Number(protocol),
    port: Number(port),
    audited: Number(audited),
    denied: Number(denied),
    hosts: hosts as string[],
    firstUs: Number(from),
    lastUs: Number(until),
    everFirstUs: Number(ever),
  }));
}

/** The newest word of each enforcer about each scope, with the sums of the span. */
async function enforcersOf(database: Database, first: number, last: number): Promise<EnforcerStanding[]> {
  const rows = await database.rows(
    `WITH known AS (SELECT * FROM verdict_reports WHERE entry <= $2),
          changes AS (SELECT *, mode IS DISTINCT FROM lag(mode) OVER (PARTITION BY scope, enforcer, host ORDER BY entry) AS is_change FROM known),
          since AS (SELECT scope, enforcer, host, max(until_us) FILTER (is_change) AS since_us FROM changes GROUP BY ALL),
          boots AS (SELECT enforcer, boot, max(sequence) + 1 - count(DISTINCT sequence) AS missing FROM known GROUP BY ALL
                    HAVING max(entry) >= $1),
          missing AS (SELECT enforcer, sum(missing) AS missing FROM boots GROUP BY enforcer)
     SELECT scope, enforcer, host, max_by(generation, entry), max_by(mode, entry), any_value(since_us), max_by(state, entry),
            min(from_us), max(until_us), count(*), any_value(missing),
            sum(missed), sum(repeated), sum(recorded), sum(denied), sum(invalid), sum(midstream), sum(unrecorded)
     FROM known JOIN since USING (scope, enforcer, host) JOIN missing USING (enforcer)
     WHERE entry >= $1 GROUP BY scope, enforcer, host ORDER BY scope, host, enforcer`,
    [first, last],
  );
  return rows.map((row) => {
    const [missed, repeated, recorded, denied, invalid, midstream, unrecorded] = row.slice(11).map(Number) as [
      ...[number, number, number, number],
      ...[number, number, number],
    ];
    return {
      scope: String(row[0]),
      enforcer: String(row[1]),
      host: String(row[2]),
      generation: Number(row[3]),
      mode: row[4] as EnforcerStanding["mode"],
      modeSinceUs: Number(row[5]),
      state: row[6] as EnforcementState,
      firstReportUs: Number(row[7]),
      lastReportUs: Number(row[8]),
      reports: Number(row[9]),
      missingReports: Number(row[10]),
      counters: { missed, repeated, recorded, denied, invalid, midstream },
      unrecorded,
    };
  });
}

async function permitsOf(database: Database, first: number, last: number): Promise<PermitUse[]> {
  const rows = await database.rows(
    `SELECT scope, rule, sum(packets) FROM verdict_permits JOIN verdict_reports USING (entry)
     WHERE entry BETWEEN $1 AND $2 GROUP BY scope, rule ORDER BY scope, rule`,
    [first, last],
  );
  return rows.map(([scope, rule, packets]) => ({
    scope: String(scope),
    rule: String(rule),
    packets: Number(packets),
  }));
}

/**
 * What the trail says of the documents received in [fromUs, untilUs). Entries are numbered as they came, and the span
 * is a run of numbers even where a clock was set back.
 */
export async function auditOf(database: Database, fromUs: number, untilUs: number): Promise<AuditFigures> {
  const [bounds] = await database.rows(
    "SELECT min(number), max(number) FROM audit_trail WHERE received_us >= $1 AND received_us < $2",
    [fromUs, untilUs],
  );
  const policies = await database.rows(
    `SELECT ${ENTRY} FROM audit_trail WHERE kind = 'policy' AND received_us < $1 ORDER BY number`,
    [untilUs],
  );
  if (bounds?.[0] === null || bounds === undefined) {
    const [last] = await database.rows(
      "SELECT link FROM audit_trail WHERE received_us < $1 ORDER BY number DESC LIMIT 1",
      [fromUs],
    );
    return {
      before: String(last?.[0] ?? FIRST_LINK),
      entries: [],
      policies: policies.map(entryOf),
      edges: [],
      enforcers: [],
      permits: [],
    };
  }
  const [first, last] = bounds.map(Number) as [number, number];
  const [before] = await database.rows("SELECT link FROM audit_trail WHERE number = $1", [first - 1]);
  const entries = await database.rows(
    `SELECT ${ENTRY} FROM audit_trail WHERE number BETWEEN $1 AND $2 ORDER BY number`,
    [first, last],
  );
  return {
    before: String(before?.[0] ?? FIRST_LINK),
    entries: entries.map(entryOf),
    policies: policies.map(entryOf),
    edges: await edgesOf(database, first, last),
    enforcers: await enforcersOf(database, first, last),
    permits: await permitsOf(database, first, last),
  };
}
