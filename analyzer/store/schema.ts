/** Raised with every change of the tables below; a file with a higher number is refused, never guessed at. */
export const SCHEMA_VERSION = 2;

/**
 * Numbers stand for texts: `address`, `identity`, `collector`, `scope_id` and `name_id` are positions in the
 * dictionaries. Times are microseconds since the epoch, counters are whole numbers below 2 ** 53: of flows in integers, which
 * take half as long to write, of all else in doubles, which take no cast to sum.
 *
 *     flows            one record of one collector, as it came; the truth for the hours that are not sealed
 *     windows          conversation windows of sealed hours, whose flows are gone, and of nothing else
 *     window_observers collectors of a window beyond the two that its row names
 *     server_names     names seen for the server of a conversation in an hour
 *     streams          what numbers its batches by itself: one bucket of one start of one collector
 *     sequences        which batches of a stream have been taken, as ranges: duplicates and holes are read from it
 *     lost_batches     ranges of batches that their collector says it will never send, and how many flows they had
 *     losses           packets or records that a collector, or we, did not see, by batch; of sealed hours by hour, with no batch
 *     offsets          how far each partition of a log has been read: always as far as the rows of the same transaction say
 *     lost_messages    what a log had thrown away before it was read
 *     heartbeats       the newest word of each sensor about itself
 *     audit_trail      verdict reports and signed policy sets as they came, each with the link that vouches for all before it
 *     verdict_reports, verdict_edges, verdict_permits
 *                      what the trail's verdict reports say, so that it can be asked; `entry` is the number in the trail
 *
 * A flow names the batch it came in (`stream`, `sequence`), so that stores which took the same batch can be merged.
 * Flows keep the identity of both ends at their start beside the addresses, so that a corrected inventory can
 * be applied to history.
 */
export const SCHEMA = [
  "CREATE TABLE schema_version (version UINTEGER NOT NULL)",
  "CREATE TABLE settings (name VARCHAR NOT NULL, value DOUBLE NOT NULL)",
  "CREATE TABLE addresses (id UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE identities (id UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE scopes (id UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE names (id UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE collectors (id UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE sensors (collector UINTEGER NOT NULL, first_us DOUBLE NOT NULL, last_us DOUBLE NOT NULL, batches DOUBLE NOT NULL, flows DOUBLE NOT NULL)",
  "CREATE TABLE streams (id UINTEGER NOT NULL, collector UINTEGER NOT NULL, boot VARCHAR NOT NULL, bucket UINTEGER NOT NULL)",
  "CREATE TABLE sequences (stream UINTEGER NOT NULL, first_sequence DOUBLE NOT NULL, last_sequence DOUBLE NOT NULL, first_us DOUBLE NOT NULL, last_us DOUBLE NOT NULL)",
  "CREATE TABLE lost_batches (stream UINTEGER NOT NULL, first_sequence DOUBLE NOT NULL, last_sequence DOUBLE NOT NULL, flows DOUBLE NOT NULL, from_us DOUBLE NOT NULL, until_us DOUBLE NOT NULL, reason VARCHAR NOT NULL)",
  "CREATE TABLE losses (collector UINTEGER NOT NULL, hour_us DOUBLE NOT NULL, kind VARCHAR NOT NULL, lost DOUBLE NOT NULL, from_us DOUBLE NOT NULL, until_us DOUBLE NOT NULL, stream UINTEGER, sequence UINTEGER)",
  "CREATE TABLE offsets (source VARCHAR NOT NULL, topic VARCHAR NOT NULL, partition UINTEGER NOT NULL, next_offset BIGINT NOT NULL, reached_us DOUBLE NOT NULL)",
  "CREATE TABLE lost_messages (source VARCHAR NOT NULL, topic VARCHAR NOT NULL, partition UINTEGER NOT NULL, from_offset BIGINT NOT NULL, until_offset BIGINT NOT NULL, from_us DOUBLE NOT NULL, until_us DOUBLE NOT NULL)",
  "CREATE TABLE heartbeats (sensor VARCHAR NOT NULL, text VARCHAR NOT NULL)",
  "CREATE TABLE audit_trail (number BIGINT NOT NULL, kind VARCHAR NOT NULL, id VARCHAR NOT NULL, received_us DOUBLE NOT NULL, text VARCHAR NOT NULL, link VARCHAR NOT NULL, PRIMARY KEY (kind, id))",
  `CREATE TABLE verdict_reports (
    entry BIGINT NOT NULL, enforcer VARCHAR NOT NULL, host VARCHAR NOT NULL, boot VARCHAR NOT NULL, sequence DOUBLE NOT NULL, scope VARCHAR NOT NULL,
    generation DOUBLE NOT NULL, mode VARCHAR NOT NULL, state VARCHAR NOT NULL, from_us DOUBLE NOT NULL, until_us DOUBLE NOT NULL,
    missed DOUBLE NOT NULL, repeated DOUBLE NOT NULL, recorded DOUBLE NOT NULL, denied DOUBLE NOT NULL, invalid DOUBLE NOT NULL,
    midstream DOUBLE NOT NULL, unrecorded DOUBLE NOT NULL)`,
  "CREATE TABLE verdict_edges (entry BIGINT NOT NULL, direction VARCHAR NOT NULL, client VARCHAR NOT NULL, server VARCHAR NOT NULL, protocol UTINYINT NOT NULL, port USMALLINT NOT NULL, attempts DOUBLE NOT NULL, verdict VARCHAR NOT NULL, first_us DOUBLE NOT NULL, last_us DOUBLE NOT NULL)",
  "CREATE TABLE verdict_permits (entry BIGINT NOT NULL, rule VARCHAR NOT NULL, packets DOUBLE NOT NULL)",
  "CREATE TABLE inventories (version UINTEGER NOT NULL, text VARCHAR NOT NULL)",
  `CREATE TABLE flows (
    start_us BIGINT NOT NULL, end_us BIGINT NOT NULL, append_no UINTEGER NOT NULL, collector UINTEGER NOT NULL, tuple UBIGINT NOT NULL,
    originator UINTEGER NOT NULL, responder UINTEGER NOT NULL, originator_identity UINTEGER NOT NULL, responder_identity UINTEGER NOT NULL,
    protocol UTINYINT NOT NULL, originator_port USMALLINT NOT NULL, service USMALLINT NOT NULL, scope_id UINTEGER NOT NULL,
    outcome UTINYINT NOT NULL, evidence UTINYINT NOT NULL,
    originator_packets UBIGINT NOT NULL, responder_packets UBIGINT NOT NULL, originator_bytes UBIGINT NOT NULL, responder_bytes UBIGINT NOT NULL,
    stream UINTEGER NOT NULL, sequence UINTEGER NOT NULL)`,
  `CREATE TABLE windows (
    window_us BIGINT NOT NULL, client UINTEGER NOT NULL, responder UINTEGER NOT NULL, protocol UTINYINT NOT NULL, service USMALLINT NOT NULL,
    scope_id UINTEGER NOT NULL, client_identity UINTEGER NOT NULL, server_identity UINTEGER NOT NULL,
    answered DOUBLE NOT NULL, refused DOUBLE NOT NULL, unanswered DOUBLE NOT NULL, midstream DOUBLE NOT NULL,
    client_packets DOUBLE NOT NULL, server_packets DOUBLE NOT NULL, client_bytes DOUBLE NOT NULL, server_bytes DOUBLE NOT NULL,
    first_us BIGINT NOT NULL, last_us BIGINT NOT NULL, is_certain UTINYINT NOT NULL,
    observer_low UINTEGER NOT NULL, observer_high UINTEGER NOT NULL,
    sample_key BIGINT NOT NULL, sample_client_bytes DOUBLE NOT NULL, sample_server_bytes DOUBLE NOT NULL, sample_observer UINTEGER NOT NULL)`,
  "CREATE TABLE window_observers (window_us BIGINT NOT NULL, client UINTEGER NOT NULL, responder UINTEGER NOT NULL, protocol UTINYINT NOT NULL, service USMALLINT NOT NULL, scope_id UINTEGER NOT NULL, collector UINTEGER NOT NULL)",
  "CREATE TABLE server_names (hour_us BIGINT NOT NULL, client UINTEGER NOT NULL, responder UINTEGER NOT NULL, protocol UTINYINT NOT NULL, service USMALLINT NOT NULL, scope_id UINTEGER NOT NULL, name_id UINTEGER NOT NULL)",
] as const;

/** What makes of a file of one version one of the next, by the version that it has then. */
export const UPGRADES: ReadonlyMap<number, readonly string[]> = new Map([
  [
    2,
    ["originator_packets", "responder_packets", "originator_bytes", "responder_bytes"].map(
      (column) => `ALTER TABLE flows ALTER COLUMN ${column} TYPE UBIGINT`,
    ),
  ],
]);
