import { EVIDENCE, isCertain, OUTCOMES } from "../../model/flow-record.js";
import { HOUR_US } from "../../model/time-window.js";

/**
 * How records of flows become conversation windows. Everything here is a function of the stored records alone, so that
 * split, merged, repeated or reversed arrival ends in the same windows.
 *
 * - A record whose five-tuple nobody else reported counts as it is: one flow in the window of its start.
 * - Records that share a five-tuple and whose spans overlap, up to `CLOCK_SKEW_US`, are one **episode**. What one collector
 *   says within it adds up (a long flow is reported in parts); what several collectors say are views of the same packets, so
 *   per side the largest count stands, and outcomes merge strongest first: answered, refused, midstream, unanswered.
 * - The originator of an episode is the one with the strongest evidence in it; an episode that has only guesses takes over
 *   the strongest evidence that the five-tuple ever had.
 * - A midstream record that follows any other record of its five-tuple within a day continues that flow and is no flow of its own.
 * - A flow is counted, with its packets and bytes, in the window where it starts. In later windows that it reaches it is
 *   activity: a row with counts of 0, so that a connection which lives for days is seen on each of them.
 */
export const CLOCK_SKEW_US = 5_000_000;
const CONTINUES_WITHIN_US = 24 * HOUR_US;

const ANSWERED = OUTCOMES.indexOf("answered");
const REFUSED = OUTCOMES.indexOf("refused");
const MIDSTREAM = OUTCOMES.indexOf("midstream");
const LAST_CERTAIN = EVIDENCE.filter(isCertain).length - 1;
const NO_SAMPLE = "5::BIGINT << 60";

/** Strongest outcome first; only the order matters. */
const RANK =
  "(CASE WHEN answered > 0 THEN 0 WHEN refused > 0 THEN 1 WHEN midstream > 0 THEN 2 WHEN unanswered > 0 THEN 3 ELSE 4 END)";
/**
 * One number that orders the flows of a window as samples: strongest outcome, then earliest start, then client port.
 *
 *     | rank: 4 bits | microseconds since the window's start: 44 bits | client port: 16 bits |
 */
const SAMPLE_KEY = `(${RANK}::BIGINT << 60) | ((at_us - window_us) << 16) | client_port::BIGINT`;

/** Five-tuples of which there is more than one record, for those with a record that touches [$from_us, $until_us). */
export const SHARED_TUPLES = `
  CREATE OR REPLACE TEMP TABLE shared_tuple AS
  SELECT tuple FROM flows
  WHERE tuple IN (SELECT tuple FROM flows WHERE end_us >= $from_us::BIGINT AND start_us < $until_us::BIGINT)
  GROUP BY tuple HAVING count(*) > 1`;

/** The same when all hours are wanted. */
export const ALL_SHARED_TUPLES = `
  CREATE OR REPLACE TEMP TABLE shared_tuple AS SELECT tuple FROM flows GROUP BY tuple HAVING count(*) > 1`;

/** A five-tuple whoever is called its originator, packed because comparing three numbers is faster than comparing six. */
const TUPLE = "ends, line, scope_id";
const LOW = "(ends >> 32)::UINTEGER";
const HIGH = "(ends & 4294967295)::UINTEGER";
const PROTOCOL = "(line >> 32)::UTINYINT";
const LOW_PORT = "((line >> 16) & 65535)::USMALLINT";
const HIGH_PORT = "(line & 65535)::USMALLINT";

const EVIDENCE_BIT = 55;
/**
 * One number that orders what records say about who opened a flow: strongest evidence, then earliest start, then the one
 * whose originator has the higher port. Numbers of addresses tell of the order of arrival and may decide nothing, so the
 * last word have the addresses themselves. The lowest bit is the answer.
 *
 *     | evidence: 3 bits | start_us: 53 bits | is doubted: 1 bit | is opened by the high end: 1 bit |
 */
const DIRECTION = `(evidence::BIGINT << ${EVIDENCE_BIT}) | (start_us << 2) | (is_doubted::BIGINT << 1) | (NOT is_forward)::BIGINT`;

const IN_TIME = `PARTITION BY ${TUPLE} ORDER BY start_us`;
const WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";

/**
 * Records that share a five-tuple, with the episode they belong to and its originator. All windows have one order, so that
 * there is one sort, and all frames are of values, never of rows: which of the records that start together comes first is
 * nowhere said, and differs from one sort to the next. Such records get one number, so the numbers have gaps.
 */
export const EPISODES = `
  CREATE OR REPLACE TEMP TABLE episode AS
  WITH record AS (
    SELECT flows.*, (protocol IN (1, 58) OR originator < responder OR (originator = responder AND originator_port <= service)) AS is_forward,
      (originator_port < service OR (originator_port = service AND one.text > other.text)) AS is_doubted
    FROM flows JOIN addresses AS one ON one.id = originator JOIN addresses AS other ON other.id = responder
    WHERE tuple IN (SELECT tuple FROM shared_tuple)
  ), placed AS (
    SELECT start_us, end_us, collector, scope_id, outcome, evidence, is_forward,
      CASE WHEN is_forward THEN (originator::UBIGINT << 32) | responder ELSE (responder::UBIGINT << 32) | originator END AS ends,
      (protocol::UBIGINT << 32) | CASE WHEN is_forward THEN (originator_port::UBIGINT << 16) | service
                                                       ELSE (service::UBIGINT << 16) | originator_port END AS line,
      ${DIRECTION} AS direction,
      CASE WHEN is_forward THEN originator_identity ELSE responder_identity END AS low_identity,
      CASE WHEN is_forward THEN responder_identity ELSE originator_identity END AS high_identity,
      (CASE WHEN is_forward THEN originator_packets ELSE responder_packets END)::DOUBLE AS low_packets,
      (CASE WHEN is_forward THEN responder_packets ELSE originator_packets END)::DOUBLE AS high_packets,
      (CASE WHEN is_forward THEN originator_bytes ELSE responder_bytes END)::DOUBLE AS low_bytes,
      (CASE WHEN is_forward THEN responder_bytes ELSE originator_bytes END)::DOUBLE AS high_bytes
    FROM record
  ), ordered AS (
    SELECT *,
      min(direction) OVER (${IN_TIME} ${WHOLE}) AS tuple_direction,
      min(collector) OVER (${IN_TIME} ${WHOLE}) <> max(collector) OVER (${IN_TIME} ${WHOLE}) AS is_shared,
      max(end_us) OVER (${IN_TIME} RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached_us,
      min(start_us) OVER (${IN_TIME} RANGE BETWEEN ${CLOCK_SKEW_US} PRECEDING AND CURRENT ROW) AS first_us,
      min(start_us) OVER (${IN_TIME} RANGE BETWEEN ${CONTINUES_WITHIN_US} PRECEDING AND 1 PRECEDING) IS NOT NULL AS is_later
    FROM placed
  ), numbered AS (
    SELECT *,
      sum((reached_us IS NULL OR start_us > reached_us + ${CLOCK_SKEW_US})::INTEGER) OVER (${IN_TIME} RANGE UNBOUNDED PRECEDING)::INTEGER
        AS episode_no
    FROM ordered
  ), directed AS (
    SELECT *, min(direction) OVER (PARTITION BY ${TUPLE}, episode_no) AS episode_direction FROM numbered
  )
  SELECT start_us, end_us, collector, ${TUPLE}, episode_no, evidence,
    -- Near the edge of a window, clocks that differ must not make one flow two.
    CASE WHEN is_shared THEN first_us ELSE start_us END AS at_us,
    ((CASE WHEN episode_direction >> ${EVIDENCE_BIT} <= ${LAST_CERTAIN} THEN episode_direction ELSE tuple_direction END) & 1) = 0 AS is_low_client,
    low_identity, high_identity, low_packets, high_packets, low_bytes, high_bytes,
    (outcome = ${ANSWERED})::INTEGER AS answered, (outcome = ${REFUSED})::INTEGER AS refused,
    (outcome = ${MIDSTREAM} AND NOT is_later)::INTEGER AS midstream,
    (outcome NOT IN (${ANSWERED}, ${REFUSED}, ${MIDSTREAM}))::INTEGER AS unanswered
  FROM directed`;

const SIDE = (low: string, high: string) => `CASE WHEN is_low_client THEN ${low} ELSE ${high} END`;
const SIDES = `
  ${SIDE(LOW, HIGH)} AS client, ${SIDE(HIGH, LOW)} AS responder, ${PROTOCOL} AS protocol, ${SIDE(HIGH_PORT, LOW_PORT)} AS service, scope_id,
  ${SIDE("low_identity", "high_identity")} AS client_identity, ${SIDE("high_identity", "low_identity")} AS server_identity`;
const OWN = `
  originator AS client, responder, protocol, service, scope_id,
  originator_identity AS client_identity, responder_identity AS server_identity`;
const LONE =
  "tuple NOT IN (SELECT tuple FROM shared_tuple) AND end_us >= $from_us::BIGINT AND start_us < $until_us::BIGINT";

/** Rows of the relation `window_source`: one per flow, or per flow and later window that it reaches. */
function sources(widthUs: number): string {
  const later = (at: string) => `unnest(range((${at} // ${widthUs} + 1) * ${widthUs}, end_us + 1, ${widthUs}))`;
  const nothing = `0::DOUBLE AS answered, 0::DOUBLE AS refused, 0::DOUBLE AS unanswered, 0::DOUBLE AS midstream,
    0::DOUBLE AS client_packets, 0::DOUBLE AS server_packets, 0::DOUBLE AS client_bytes, 0::DOUBLE AS server_bytes`;
  const counts = `SELECT at_us // ${widthUs} * ${widthUs} AS window_us, at_us, at_us AS first_us, end_us AS last_us, at_us AS begun_us, TRUE AS is_start, client_port,
    client, responder, protocol, service, scope_id, client_identity, server_identity, answered, refused, unanswered, midstream,
    client_packets, server_packets, client_bytes, server_bytes, is_certain, observer_low, observer_high, seen_by`;
  const activity = (begun: string) =>
    `window_us, window_us AS at_us, window_us AS first_us, end_us AS last_us, ${begun} AS begun_us, FALSE AS is_start, 0 AS client_port`;
  return `
    lone AS (
      SELECT start_us AS at_us, end_us, originator_port AS client_port, ${OWN},
        (outcome = ${ANSWERED})::DOUBLE AS answered, (outcome = ${REFUSED})::DOUBLE AS refused,
        (outcome NOT IN (${ANSWERED}, ${REFUSED}, ${MIDSTREAM}))::DOUBLE AS unanswered, (outcome = ${MIDSTREAM})::DOUBLE AS midstream,
        originator_packets::DOUBLE AS client_packets, responder_packets::DOUBLE AS server_packets,
        originator_bytes::DOUBLE AS client_bytes, responder_bytes::DOUBLE AS server_bytes,
        evidence <= ${LAST_CERTAIN} AS is_certain, collector AS observer_low, collector AS observer_high, collector AS seen_by
      FROM flows WHERE ${LONE}
    ),
    view AS (
      SELECT ${TUPLE}, episode_no, at_us // ${widthUs} AS window_no, collector, is_low_client,
        min(at_us) AS at_us, min(start_us) AS start_us, max(end_us) AS end_us, arg_min(low_identity, start_us) AS low_identity, arg_min(high_identity, start_us) AS high_identity,
        sum(low_packets) AS low_packets, sum(high_packets) AS high_packets, sum(low_bytes) AS low_bytes, sum(high_bytes) AS high_bytes,
        sum(answered) AS answered, sum(answered + refused) AS said, sum(answered + refused + midstream) AS lived,
        sum(answered + refused + midstream + unanswered) AS flows, min(evidence) AS evidence
      FROM episode GROUP BY ALL
    ),
    merged AS (
      SELECT min(at_us) AS at_us, max(end_us) AS end_us, ${SIDE(LOW_PORT, HIGH_PORT)} AS client_port,
        ${SIDE(LOW, HIGH)} AS client, ${SIDE(HIGH, LOW)} AS responder, ${PROTOCOL} AS protocol, ${SIDE(HIGH_PORT, LOW_PORT)} AS service, scope_id,
        arg_min(${SIDE("low_identity", "high_identity")}, start_us) AS client_identity,
        arg_min(${SIDE("high_identity", "low_identity")}, start_us) AS server_identity,
        -- The casts keep the union in doubles: sums of whole numbers are made of hugeints, and slow.
        max(answered)::DOUBLE AS answered, (max(said) - max(answered))::DOUBLE AS refused,
        (max(flows) - max(lived))::DOUBLE AS unanswered, (max(lived) - max(said))::DOUBLE AS midstream,
        ${SIDE("max(low_packets)", "max(high_packets)")} AS client_packets, ${SIDE("max(high_packets)", "max(low_packets)")} AS server_packets,
        ${SIDE("max(low_bytes)", "max(high_bytes)")} AS client_bytes, ${SIDE("max(high_bytes)", "max(low_bytes)")} AS server_bytes,
        min(evidence) <= ${LAST_CERTAIN} AS is_certain, min(collector) AS observer_low, max(collector) AS observer_high,
        -- Numbers of collectors tell of the order of arrival, their names do not.
        arg_min(collector, {start_us: start_us, name: text}) AS seen_by
      FROM view JOIN collectors ON collectors.id = view.collector GROUP BY ${TUPLE}, episode_no, window_no, is_low_client
    ),
    window_source AS (
      ${counts} FROM lone
      UNION ALL ${counts} FROM merged
      UNION ALL SELECT ${activity("start_us")}, ${OWN}, ${nothing}, evidence <= ${LAST_CERTAIN} AS is_certain, collector AS observer_low, collector AS observer_high, collector AS seen_by
      FROM (SELECT *, ${later("start_us")} AS window_us FROM flows WHERE ${LONE} AND start_us // ${widthUs} <> end_us // ${widthUs})
      UNION ALL SELECT ${activity("at_us")}, ${SIDES}, ${nothing}, evidence <= ${LAST_CERTAIN} AS is_certain, collector AS observer_low, collector AS observer_high, collector AS seen_by
      FROM (SELECT *, ${later("at_us")} AS window_us FROM episode WHERE at_us // ${widthUs} <> end_us // ${widthUs})
    )`;
}

/** Columns that name a window, identities included. */
export const WINDOW_KEY = "window_us, client, responder, protocol, service, scope_id, client_identity, server_identity";

/**
 * Conversation windows of `widthUs` in the wanted hours, in the columns of the table `windows`. `$from_us` and `$until_us` are the
 * bounds of those hours, so that whole blocks of other hours are not read. `condition` may narrow the rows of `window_source`.
 */
export function windowsOf(widthUs: number, condition = "TRUE"): string {
  // Grouping by four packed numbers takes about half the time of grouping by the eight that they hold.
  return `
    WITH ${sources(widthUs)}, keyed AS (
      SELECT *, (client::UBIGINT << 32) | responder AS ends, (client_identity::UBIGINT << 32) | server_identity AS identities,
        (protocol::UBIGINT << 48) | (service::UBIGINT << 32) | scope_id AS spoken,
        CASE WHEN is_start THEN ${SAMPLE_KEY} ELSE ${NO_SAMPLE} END AS sample_key
      FROM window_source WHERE window_us // ${HOUR_US} IN (SELECT hour FROM wanted_hour) AND ${condition}
    ), packed AS (
      SELECT window_us, ends, identities, spoken,
        sum(answered) AS answered, sum(refused) AS refused, sum(unanswered) AS unanswered, sum(midstream) AS midstream,
        sum(client_packets) AS client_packets, sum(server_packets) AS server_packets, sum(client_bytes) AS client_bytes, sum(server_bytes) AS server_bytes,
        min(first_us) AS first_us, max(least(last_us, window_us + ${widthUs - 1})) AS last_us, bool_or(is_certain)::UTINYINT AS is_certain,
        min(observer_low) AS observer_low, max(observer_high) AS observer_high, min(sample_key) AS sample_key,
        arg_min(client_bytes, sample_key) AS sample_client_bytes, arg_min(server_bytes, sample_key) AS sample_server_bytes,
        arg_min(seen_by, sample_key) AS sample_observer
      FROM keyed GROUP BY window_us, ends, identities, spoken
    )
    SELECT window_us, (ends >> 32)::UINTEGER AS client, (ends & 4294967295)::UINTEGER AS responder,
      (spoken >> 48)::UTINYINT AS protocol, ((spoken >> 32) & 65535)::USMALLINT AS service, (spoken & 4294967295)::UINTEGER AS scope_id,
      (identities >> 32)::UINTEGER AS client_identity, (identities & 4294967295)::UINTEGER AS server_identity,
      answered, refused, unanswered, midstream, client_packets, server_packets, client_bytes, server_bytes,
      first_us, last_us, is_certain, observer_low, observer_high, sample_key, sample_client_bytes, sample_server_bytes, sample_observer
    FROM packed`;
}

/** Every collector of every window in the wanted hours, in the columns of `window_observers`. `condition` is about `begun_us`. */
export function observersOf(widthUs: number, condition = "TRUE"): string {
  const windows = (at: string) =>
    `unnest(range(${at} // ${widthUs} * ${widthUs}, end_us + 1, ${widthUs})) AS window_us, ${at} AS begun_us`;
  return `
    SELECT DISTINCT window_us, client, responder, protocol, service, scope_id, collector FROM (
      SELECT ${windows("start_us")}, ${OWN}, collector FROM flows WHERE ${LONE}
      UNION ALL SELECT ${windows("at_us")}, ${SIDES}, collector FROM episode
    ) WHERE window_us // ${HOUR_US} IN (SELECT hour FROM wanted_hour) AND ${condition}`;
}
