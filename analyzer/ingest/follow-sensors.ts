import { parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Carrier, Subscription } from "../../stream/carrier.js";
import { DeadLetters } from "../../stream/dead-letters.js";

/** Hands over what sensors say of themselves, from the last word of each on. A sensor that took its word back is not forgotten. */
export function followSensors(
  carrier: Carrier,
  take: (beat: SensorHeartbeat) => void,
  say?: (line: string) => void,
): Promise<Subscription> {
  const letters = new DeadLetters(carrier, say);
  return carrier.subscribe("portolan.sensors", {
    positions: async () => new Map(),
    async handle(message) {
      if (message.value.length === 0) return;
      const beat = await letters.read(message, ({ value }) => parseHeartbeat(value));
      if (beat !== undefined) take(beat);
    },
  });
}
