import type { DenialSighting, DenialsSince, EarlierSighting, TrailPoint } from "../alerts/denial-sightings.js";
import { FIRST_LINK } from "../audit/audit-trail.js";
import type { Database } from "./database.js";

/** Entries of one answer, which is then some ten thousand edges at the most that enforcers send together. */
const MOST_ENTRIES = 50;

const KEY = "scope, direction, client, server, protocol, port";

function keyOf([scope, direction, client, server, protocol, port]: unknown[]) {
  return {
    scope: String(scope),
    direction: direction as DenialSighting["direction"],
    client: String(client),
    server: String(server),
    protocol: Number(protocol),
    port: Number(port),
  };
}

async function linkOf(database: Database, number: number): Promise<string | undefined> {
  if (number === 0) return FIRST_LINK;
  const [row] = await database.rows("SELECT link FROM audit_trail WHERE number = $1", [number]);
  return row === undefined ? undefined : String(row[0]);
}

/**
 * What was counted in the entries after `after`, and when the same edges were last counted before. Without `after`, or
 * when this trail does not go on from there, where the trail ends.
 */
export async function denialsSince(database: Database, after: TrailPoint | undefined): Promise<DenialsSince> {
  const [newest] = await database.rows("SELECT coalesce(max(number), 0) FROM audit_trail");
  const end = Number(newest?.[0]);
  const isOtherTrail = after !== undefined && (await linkOf(database, after.number)) !== after.link;
  const first = after === undefined || isOtherTrail ? end : after.number;
  const last = Math.min(end, first + MOST_ENTRIES);
  const until = { number: last, link: (await linkOf(database, last)) ?? FIRST_LINK };
  if (last === first) return { sightings: [], earlier: [], until, isOtherTrail };
  const sightings = await database.rows(
    `SELECT ${KEY}, entry, received_us, enforcer, host, generation, verdict, attempts, first_us, last_us
     FROM verdict_edges e JOIN verdict_reports USING (entry) JOIN audit_trail ON number = entry
     WHERE e.entry > $1 AND e.entry <= $2 ORDER BY entry, ${KEY}, verdict`,
    [first, last],
  );
  if (sightings.length === 0) return { sightings: [], earlier: [], until, isOtherTrail };
  const earlier = await database.rows(
    `WITH fresh AS (SELECT DISTINCT ${KEY} FROM verdict_edges e JOIN verdict_reports USING (entry) WHERE e.entry > $1 AND e.entry <= $2)
     SELECT ${KEY}, verdict, max(last_us) FROM verdict_edges e JOIN verdict_reports USING (entry) SEMI JOIN fresh USING (${KEY})
     WHERE e.entry <= $1 GROUP BY ${KEY}, verdict ORDER BY ${KEY}, verdict`,
    [first, last],
  );
  return {
    until,
    isOtherTrail,
    sightings: sightings.map((row) => ({
      ...keyOf(row),
      entry: Number(row[6]),
      receivedUs: Number(row[7]),
      enforcer: String(row[8]),
      host: String(row[9]),
      generation: Number(row[10]),
      verdict: row[11] as DenialSighting["verdict"],
      attempts: Number(row[12]),
      firstUs: Number(row[13]),
      lastUs: Number(row[14]),
    })),
    earlier: earlier.map((row) => ({
      ...keyOf(row),
      verdict: row[6] as EarlierSighting["verdict"],
      lastUs: Number(row[7]),
    })),
  };
}
