import { parseHeartbeat, type SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Carrier, Subscription } from "../../stream/carrier.js";
import { DeadLetters } from "../../stream/dead-letters.js";
import { ClockOffsets } from "./clock-offsets.js";

/**
 * Hands over what sensors say of themselves, from the last word of each on, and how far their clocks are off, where the topic's
 * messages have the broker's time. A sensor that took its word back is not forgotten.
 */
export function followSensors(
  carrier: Carrier,
  take: (beat: SensorHeartbeat) => void,
  say?: (line: string) => void,
): Promise<Subscription> {
  const letters = new DeadLetters(carrier, say);
  const clocks = new ClockOffsets();
  return carrier.subscribe("portolan.sensors", {
    positions: async () => new Map(),
    async handle(message) {
      if (message.value.length === 0) return;
      const beat = await letters.read(message, ({ value }) => parseHeartbeat(value));
      if (beat === undefined) return;
      const { timestampMs, stampedBy } = message;
      const clockOffsetMs =
        beat.clockOffsetMs ?? (stampedBy === "carrier" ? clocks.offsetMs(beat, timestampMs) : undefined);
      take(clockOffsetMs === undefined ? beat : { ...beat, clockOffsetMs });
    },
  });
}
