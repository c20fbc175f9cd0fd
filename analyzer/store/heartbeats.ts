import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Database } from "./database.js";
import { storeErrorOf } from "./store-error.js";

/** The document's schema is loaded with the first heartbeat: a store that reads captures alone never has one. */
const document = () => import("../../model/sensor-heartbeat.js");

/** Keeps the newest word of each of these sensors about itself, in place of the older one, within the caller's transaction. */
export async function writeHeartbeats(database: Database, beats: readonly SensorHeartbeat[]): Promise<void> {
  if (beats.length === 0) return;
  const { encodeHeartbeat } = await document();
  const utf8 = new TextDecoder();
  for (const beat of beats) {
    await database.connection.run("DELETE FROM heartbeats WHERE sensor = $1", [beat.sensor]);
    const row = [beat.sensor, utf8.decode(encodeHeartbeat(beat))];
    await database.connection.run("INSERT INTO heartbeats VALUES ($1, $2)", row);
  }
}

/** The same as a transaction of its own. @throws {StoreError} */
export async function keepHeartbeats(database: Database, beats: readonly SensorHeartbeat[]): Promise<void> {
  try {
    await database.transaction(() => writeHeartbeats(database, beats));
  } catch (cause) {
    throw storeErrorOf("write to", database.options.path, cause);
  }
}

/** In the order of the sensors' ids. */
export async function heartbeatsOf(database: Database): Promise<SensorHeartbeat[]> {
  const rows = await database.rows("SELECT text FROM heartbeats ORDER BY sensor");
  if (rows.length === 0) return [];
  const { parseHeartbeat } = await document();
  return rows.map(([text]) => parseHeartbeat(new TextEncoder().encode(String(text))));
}
