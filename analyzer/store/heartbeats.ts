import { encodeHeartbeat, parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Database } from "./database.js";
import { storeErrorOf } from "./store-error.js";

/** Keeps the newest word of each of these sensors about itself, in place of the older one. @throws {StoreError} */
export async function writeHeartbeats(database: Database, beats: readonly SensorHeartbeat[]): Promise<void> {
  const { connection } = database;
  const utf8 = new TextDecoder();
  try {
    await database.transaction(async () => {
      for (const beat of beats) {
        await connection.run("DELETE FROM heartbeats WHERE sensor = $1", [beat.sensor]);
        await connection.run("INSERT INTO heartbeats VALUES ($1, $2)", [
          beat.sensor,
          utf8.decode(encodeHeartbeat(beat)),
        ]);
      }
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
