import { HOUR_US } from "../../model/time-window.js";
import type { Database } from "./database.js";
import { compactLosses } from "./losses.js";
import { storeErrorOf } from "./store-error.js";
import type { Windows } from "./windows.js";

/** After sealing, this share of the limit is in use, so that sealing is rare. */
const KEPT_SHARE = 0.8;

/** Where the newest hour alone is over the limit, counting again waits until there are so many times the records. */
const RETRY_GROWTH = 1.1;

/** A name is stored once per append that saw it; this leaves one row of each. */
async function compactNames(database: Database): Promise<void> {
  const { connection } = database;
  await connection.run("CREATE OR REPLACE TEMP TABLE once AS SELECT DISTINCT * FROM server_names");
  const [counts] = await database.rows("SELECT (SELECT count(*) FROM once), (SELECT count(*) FROM server_names)");
  if (Number(counts?.[0]) < Number(counts?.[1])) {
    await connection.run("DELETE FROM server_names");
    await connection.run("INSERT INTO server_names SELECT * FROM once");
  }
  await connection.run("DROP TABLE once");
}

/**
 * Keeps the number of stored records bounded: beyond the limit, the oldest hours give up their records and keep their
 * conversation windows. The newest hour is never sealed. @returns Whether anything was sealed.
 */
export async function sealOldHours(database: Database, windows: Windows): Promise<boolean> {
  const { connection, options } = database;
  if (database.storedFlows <= Math.max(options.maxFlows, database.unsealableFlows * RETRY_GROWTH)) return false;
  const counts = await database.rows(
    `SELECT start_us // ${HOUR_US} AS hour, count(*) FROM flows GROUP BY hour ORDER BY hour`,
  );
  let left = database.storedFlows;
  let boundUs = database.sealedBeforeUs;
  for (const [hour, count] of counts.slice(0, -1)) {
    if (left <= options.maxFlows * KEPT_SHARE) break;
    left -= Number(count);
    boundUs = Math.max(boundUs, (Number(hour) + 1) * HOUR_US);
  }
  if (left === database.storedFlows) {
    database.unsealableFlows = left;
    return false;
  }
  await windows.refresh();
  const bound = { bound: BigInt(boundUs) };
  try {
    await database.transaction(async () => {
      // Activity of a flow in hours that stay open is kept as well: its record goes with the hour it began in.
      await connection.run("INSERT INTO windows SELECT * FROM live_window WHERE window_us < $bound::BIGINT", bound);
      await connection.run(
        "INSERT INTO window_observers SELECT * FROM live_observer WHERE window_us < $bound::BIGINT",
        bound,
      );
      await windows.keepActivityBeyond(boundUs);
      await connection.run("DELETE FROM flows WHERE start_us < $bound::BIGINT", bound);
      await compactNames(database);
      await compactLosses(connection, boundUs);
      await connection.run("DELETE FROM settings WHERE name = 'sealed_before_us'");
      await connection.run("INSERT INTO settings VALUES ('sealed_before_us', $bound)", { bound: boundUs });
    });
  } catch (cause) {
    throw storeErrorOf("seal old hours of", options.path, cause);
  }
  database.sealedBeforeUs = boundUs;
  database.storedFlows = left;
  database.unsealableFlows = 0;
  await windows.forgetBefore(boundUs);
  return true;
}
