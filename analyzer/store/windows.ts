import { HOUR_US, MINUTE_US } from "../../model/time-window.js";
import { ACTIVITY, ACTIVITY_COLUMNS, type ActivityColumns } from "./activity-query.js";
import { readColumns } from "./columns.js";
import type { Database } from "./database.js";
import { WINDOW_COLUMNS, type WindowColumns } from "./window-columns.js";
import { ALL_SHARED_TUPLES, EPISODES, observersOf, SHARED_TUPLES, WINDOW_KEY, windowsOf } from "./window-query.js";

const ANSWER = `
  SELECT window_us::DOUBLE, client, responder, protocol, service, scope_id, client_identity, server_identity,
    answered, refused, unanswered, midstream, client_packets, server_packets, client_bytes, server_bytes,
    first_us::DOUBLE, last_us::DOUBLE, is_certain, observer_low, observer_high,
    (sample_key >> 60)::UTINYINT, (window_us + ((sample_key >> 16) & 17592186044415))::DOUBLE, (sample_key & 65535)::USMALLINT,
    sample_observer, sample_client_bytes, sample_server_bytes`;

const COMBINED = `
  SELECT ${WINDOW_KEY}, sum(answered) AS answered, sum(refused) AS refused, sum(unanswered) AS unanswered, sum(midstream) AS midstream,
    sum(client_packets) AS client_packets, sum(server_packets) AS server_packets, sum(client_bytes) AS client_bytes, sum(server_bytes) AS server_bytes,
    min(first_us) AS first_us, max(last_us) AS last_us, max(is_certain) AS is_certain, min(observer_low) AS observer_low, max(observer_high) AS observer_high,
    min(sample_key) AS sample_key, arg_min(sample_client_bytes, sample_key) AS sample_client_bytes, arg_min(sample_server_bytes, sample_key) AS sample_server_bytes,
    arg_min(sample_observer, sample_key) AS sample_observer
  FROM (SELECT * FROM windows UNION ALL SELECT * FROM live_window) GROUP BY ${WINDOW_KEY}`;

const SAME_CONVERSATION = `other.client = answer.client AND other.responder = answer.responder
    AND other.protocol = answer.protocol AND other.service = answer.service AND other.scope_id = answer.scope_id`;

const namesOf = (answer: string) => `
  SELECT DISTINCT answer.rowid::UINTEGER, name_id FROM ${answer} AS answer JOIN server_names AS other
    ON other.hour_us = answer.window_us // ${HOUR_US} * ${HOUR_US} AND ${SAME_CONVERSATION}`;

const observersAmong = (answer: string, observers: string) => `
  SELECT DISTINCT answer.rowid::UINTEGER, collector FROM ${answer} AS answer JOIN (${observers}) AS other
    ON other.window_us = answer.window_us AND ${SAME_CONVERSATION}
  WHERE answer.observer_low <> answer.observer_high`;

const SPAN = "last_us >= $from_us AND first_us < $until_us";

/**
 * Windows of the hours that still have records are derived and live in temporary tables; those of sealed hours are stored.
 * A restart derives the former again, so that there is nothing to repair after a crash.
 */
export class Windows {
  private refreshedAppendNo = -1;

  constructor(private readonly database: Database) {}

  /** Fills `wanted_hour`, and returns the bounds of its hours as parameters. */
  private async want(hours: readonly number[]): Promise<{ from_us: bigint; until_us: bigint }> {
    const { connection } = this.database;
    await connection.run("CREATE OR REPLACE TEMP TABLE wanted_hour (hour BIGINT NOT NULL)");
    const appender = await connection.createAppender("wanted_hour");
    let from = Number.POSITIVE_INFINITY;
    let until = Number.NEGATIVE_INFINITY;
    for (const hourUs of hours) {
      appender.appendBigInt(BigInt(hourUs / HOUR_US));
      appender.endRow();
      from = Math.min(from, hourUs);
      until = Math.max(until, hourUs + HOUR_US);
    }
    appender.closeSync();
    return { from_us: BigInt(from), until_us: BigInt(until) };
  }

  private async hoursWithFlows(): Promise<number[]> {
    const sql = `SELECT DISTINCT unnest(range(first_hour, last_hour + 1)) FROM (SELECT DISTINCT start_us // ${HOUR_US} AS first_hour, end_us // ${HOUR_US} AS last_hour FROM flows)`;
    return (await this.database.rows(sql)).map(([hour]) => Number(hour) * HOUR_US);
  }

  /** Brings the windows of the hours with records up to date. */
  async refresh(): Promise<void> {
    const { database } = this;
    const { connection, dirtyHours } = database;
    const isFirst = this.refreshedAppendNo < 0;
    if (dirtyHours.size === 0 && !isFirst) return;
    if (!isFirst) {
      // What came late may change the episodes of its five-tuples in hours that got no record themselves.
      const sql = `SELECT DISTINCT unnest(range(start_us // ${HOUR_US} * ${HOUR_US}, end_us + 1, ${HOUR_US})) FROM flows
        WHERE tuple IN (SELECT tuple FROM flows WHERE append_no > ${this.refreshedAppendNo})`;
      await database.markDirty(sql);
    }
    const hours = [...dirtyHours];
    const isEmpty = hours.length === 0;
    const bounds = isEmpty ? { from_us: 0n, until_us: 0n } : await this.want(hours);
    if (isEmpty) await connection.run("CREATE OR REPLACE TEMP TABLE wanted_hour (hour BIGINT NOT NULL)");
    await connection.run(isFirst ? ALL_SHARED_TUPLES : SHARED_TUPLES, isFirst ? {} : bounds);
    await connection.run(EPISODES);
    const kept = (table: string) =>
      isFirst
        ? ""
        : `SELECT * FROM ${table} WHERE window_us // ${HOUR_US} NOT IN (SELECT hour FROM wanted_hour) UNION ALL `;
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE next_window AS ${kept("live_window")} SELECT * FROM (${windowsOf(HOUR_US)})`,
      bounds,
    );
    await connection.run("DROP TABLE IF EXISTS live_window");
    await connection.run("ALTER TABLE next_window RENAME TO live_window");
    // With one collector, its name in the window's row says it all.
    const isShared = database.collectors.texts.length > 1;
    if (isShared || isFirst) {
      const observers = isShared ? observersOf(HOUR_US) : "SELECT * FROM window_observers LIMIT 0";
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE next_observer AS ${kept("live_observer")} SELECT * FROM (${observers})`,
        isShared ? bounds : {},
      );
      await connection.run("DROP TABLE IF EXISTS live_observer");
      await connection.run("ALTER TABLE next_observer RENAME TO live_observer");
    }
    dirtyHours.clear();
    this.refreshedAppendNo = database.appendNo;
  }

  /**
   * Stores the activity that flows which began before `boundUs` show in later hours; their records are about to go.
   * Within the caller's transaction.
   */
  async keepActivityBeyond(boundUs: number): Promise<void> {
    const { connection } = this.database;
    const hours = (await this.hoursWithFlows()).filter((hour) => hour >= boundUs);
    if (hours.length === 0) return;
    const bounds = await this.want(hours);
    await connection.run(SHARED_TUPLES, bounds);
    await connection.run(EPISODES);
    const begunBefore = "begun_us < $bound::BIGINT";
    const values = { ...bounds, bound: BigInt(boundUs) };
    await connection.run(`INSERT INTO windows ${windowsOf(HOUR_US, begunBefore)}`, values);
    await connection.run(`INSERT INTO window_observers ${observersOf(HOUR_US, begunBefore)}`, values);
  }

  /** Drops the derived windows before `boundUs`, which are stored now. */
  async forgetBefore(boundUs: number): Promise<void> {
    for (const table of ["live_window", "live_observer"]) {
      await this.database.connection.run(`DELETE FROM ${table} WHERE window_us < $1::BIGINT`, [BigInt(boundUs)]);
    }
  }

  /** Conversation windows per hour that touch [fromUs, untilUs). */
  async hourly(fromUs: number, untilUs: number): Promise<WindowColumns> {
    await this.refresh();
    const isSealed = Number.isFinite(this.database.sealedBeforeUs);
    const observers = "SELECT * FROM live_observer UNION ALL SELECT * FROM window_observers";
    return this.read(isSealed ? `(${COMBINED})` : "live_window", observers, fromUs, untilUs);
  }

  /** What was seen of every conversation in the hours that start in [fromUs, untilUs). */
  async activity(fromUs: number, untilUs: number): Promise<ActivityColumns> {
    await this.refresh();
    const bounds = { from_us: fromUs, until_us: untilUs };
    return readColumns(this.database.connection, ACTIVITY, Object.values(ACTIVITY_COLUMNS), bounds);
  }

  /** The same per minute, of the hours that still have their records. */
  async perMinute(fromUs: number, untilUs: number): Promise<WindowColumns> {
    const { connection, collectors } = this.database;
    const hours = (await this.hoursWithFlows()).filter((hour) => hour + HOUR_US > fromUs && hour < untilUs);
    const noObservers = "SELECT * FROM window_observers LIMIT 0";
    if (hours.length === 0) return this.read("(SELECT * FROM windows LIMIT 0)", noObservers, fromUs, untilUs);
    const bounds = await this.want(hours);
    const isAll = !Number.isFinite(fromUs) && !Number.isFinite(untilUs);
    await connection.run(isAll ? ALL_SHARED_TUPLES : SHARED_TUPLES, isAll ? {} : bounds);
    await connection.run(EPISODES);
    await connection.run(`CREATE OR REPLACE TEMP TABLE minute_window AS ${windowsOf(MINUTE_US)}`, bounds);
    const isShared = collectors.texts.length > 1;
    if (isShared) {
      await connection.run(`CREATE OR REPLACE TEMP TABLE minute_observer AS ${observersOf(MINUTE_US)}`, bounds);
    }
    return this.read("minute_window", isShared ? "SELECT * FROM minute_observer" : noObservers, fromUs, untilUs);
  }

  private async read(source: string, observers: string, fromUs: number, untilUs: number): Promise<WindowColumns> {
    const { connection, names, collectors } = this.database;
    // Row numbers link names and observers to their windows, so the rows must lie as they are read: a table made in one go.
    const isWhole = !source.startsWith("(") && !Number.isFinite(fromUs) && !Number.isFinite(untilUs);
    const answer = isWhole ? source : "answer";
    if (!isWhole) {
      await connection.run(`CREATE OR REPLACE TEMP TABLE answer AS SELECT * FROM ${source} WHERE ${SPAN}`, {
        from_us: fromUs,
        until_us: untilUs,
      });
    }
    const { rows, columns } = await readColumns(connection, `${ANSWER} FROM ${answer}`, Object.values(WINDOW_COLUMNS));
    const pairs = async (isNeeded: boolean, sql: string) => {
      if (!isNeeded) return { rows: new Uint32Array(0), ids: new Uint32Array(0) };
      const found = await readColumns(connection, sql, ["u32", "u32"]);
      return { rows: found.columns[0] as Uint32Array, ids: found.columns[1] as Uint32Array };
    };
    const namePairs = await pairs(names.texts.length > 0, namesOf(answer));
    const observerPairs = await pairs(collectors.texts.length > 1, observersAmong(answer, observers));
    return { rows, columns, names: namePairs, observers: observerPairs };
  }
}
