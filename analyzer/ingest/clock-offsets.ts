import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";

/** Heartbeats that are compared: the one that was least under way tells best. */
const COMPARED = 6;
/** One alone may have waited for a broker that was away. */
const FEWEST = 2;

interface Seen {
  readonly boot: string;
  readonly offsetsMs: readonly number[];
}

/**
 * How far sensors' clocks are ahead of the broker's, by when heartbeats were made and when the broker took them. Between lies
 * the time they were under way, which makes a clock look slow and never fast: the largest difference of the last ones is the
 * nearest to the truth, and never more than that.
 */
export class ClockOffsets {
  private readonly seen = new Map<string, Seen>();

  /** Takes into account that the broker took a heartbeat at this time. @returns undefined while nobody can tell */
  offsetMs({ sensor, boot, atUs }: SensorHeartbeat, takenMs: number): number | undefined {
    const before = this.seen.get(sensor);
    const earlier = before?.boot === boot ? before.offsetsMs : []; // a host that starts anew may have set its clock
    const offsetsMs = [...earlier, atUs / 1000 - takenMs].slice(-COMPARED);
    this.seen.set(sensor, { boot, offsetsMs });
    return offsetsMs.length < FEWEST ? undefined : Math.max(...offsetsMs);
  }
}
