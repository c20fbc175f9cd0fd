import { HOUR_US } from "../../model/time-window.js";
import type { NumberColumn } from "./columns.js";

/** Hours that one row of an answer can tell apart: the bits of a number. */
export const HOURS_OF_MASK = 32;

/** The columns of an answer, in order; hours are counted from the epoch, bit b of `hourMask` is hour `hourBlock * 32 + b`. */
export const ACTIVITY_COLUMNS = {
  client: "u32",
  server: "u32",
  clientIdentity: "u32",
  serverIdentity: "u32",
  protocol: "u8",
  service: "u16",
  hourBlock: "f64",
  hourMask: "u32",
  answered: "f64",
  refused: "f64",
  unanswered: "f64",
  midstream: "f64",
  firstUs: "f64",
  lastUs: "f64",
} as const;

/** A row for each conversation, scope and identities included, and block of hours; see `ACTIVITY_COLUMNS`. */
export interface ActivityColumns {
  readonly rows: number;
  readonly columns: readonly NumberColumn[];
}

const COUNTS = ["answered", "refused", "unanswered", "midstream"];

/** Rows of one window may stand in both tables, or twice in one: sums and bits do not mind. */
const WINDOWS = ["windows", "live_window"]
  .map(
    (table) => `SELECT window_us, client, responder, protocol, service, scope_id, client_identity, server_identity,
      ${COUNTS.join(", ")}, first_us, last_us FROM ${table} WHERE window_us >= $from_us AND window_us < $until_us`,
  )
  .join(" UNION ALL ");

/**
 * What was seen of every conversation in the hours that start in [$from_us, $until_us), counted in the database: hours as
 * bits, flows as sums. Grouping by packed numbers takes about half the time of grouping by what they hold.
 */
export const ACTIVITY = `
  WITH packed AS (
    SELECT (client::UBIGINT << 32) | responder AS ends, (client_identity::UBIGINT << 32) | server_identity AS identities,
      (protocol::UBIGINT << 48) | (service::UBIGINT << 32) | (window_us // ${HOUR_US * HOURS_OF_MASK})::UBIGINT AS spoken,
      bit_or(1::UBIGINT << ((window_us // ${HOUR_US}) % ${HOURS_OF_MASK})::INTEGER) AS hour_mask,
      ${COUNTS.map((name) => `sum(${name}) AS ${name}`).join(", ")}, min(first_us) AS first_us, max(last_us) AS last_us
    FROM (${WINDOWS}) GROUP BY ends, identities, spoken, scope_id
  )
  SELECT (ends >> 32)::UINTEGER, (ends & 4294967295)::UINTEGER,
    (identities >> 32)::UINTEGER, (identities & 4294967295)::UINTEGER,
    (spoken >> 48)::UTINYINT, ((spoken >> 32) & 65535)::USMALLINT, (spoken & 4294967295)::DOUBLE, hour_mask::UINTEGER,
    ${COUNTS.map((name) => `${name}::DOUBLE`).join(", ")}, first_us::DOUBLE, last_us::DOUBLE
  FROM packed`;
