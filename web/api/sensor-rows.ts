import type { SensorStatus } from "../../analyzer/explorer.js";
import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Sensor } from "./contract.js";

/** Everyone who sent flows or word of itself, by id. */
export function sensorRows(seen: readonly SensorStatus[], beats: readonly SensorHeartbeat[]): Sensor[] {
  const rows = new Map<string, Sensor>(
    beats.map((heartbeat) => [heartbeat.sensor, { id: heartbeat.sensor, heartbeat }]),
  );
  for (const { collector, ...stored } of seen) rows.set(collector, { id: collector, ...rows.get(collector), stored });
  return [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
