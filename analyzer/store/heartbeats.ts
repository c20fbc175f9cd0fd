import { encodeHeartbeat, parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Database } from "./database.js";
import { storeErrorOf } from "./store-error.js";

/** Keeps the newest word of a sensor about itself. @throws {StoreError} */
export async function noteHeartbeat(database: Database, beat: SensorHeartbeat): Promise<void> {
  const { connection } = database;
  try {
    await database.transaction(async () => {
      await connection.run("DELETE FROM heartbeats WHERE sensor = $1", [beat.sensor]);
      const text = new TextDecoder().decode(encodeHeartbeat(beat));
      await connection.run("INSERT INTO heartbeats VALUES ($1, $2)", [beat.sensor, text]);
    });
  } catch (cause) {
    throw storeErrorOf("write to", database.options.path, cause);
  }
}

/** In the order of the sensors' ids. */
export async function heartbeatsOf(database: Database): Promise<SensorHeartbeat[]> {
  const rows = await database.rows("SELECT text FROM heartbeats ORDER BY sensor");
  return rows.map(([text]) => parseHeartbeat(new TextEncoder().encode(String(text))));
}
