import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";

/** How long heartbeats wait for company before they are kept; the topic has them all the while. */
const KEEP_AFTER_MS = 5_000;

/** What sensors last said of themselves: in memory at once, in the store a little later and together. */
export class Heartbeats {
  private readonly latest = new Map<string, SensorHeartbeat>();
  private readonly unkept = new Map<string, SensorHeartbeat>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly keep: (beats: readonly SensorHeartbeat[]) => Promise<void>) {}

  restore(beats: readonly SensorHeartbeat[]): void {
    for (const beat of beats) this.latest.set(beat.sensor, beat);
  }

  take(beat: SensorHeartbeat): void {
    this.latest.set(beat.sensor, beat);
    this.unkept.set(beat.sensor, beat);
    this.timer ??= setTimeout(() => void this.keepAll(), KEEP_AFTER_MS).unref();
  }

  /** By sensor. */
  all(): SensorHeartbeat[] {
    return [...this.latest.values()].sort((a, b) => (a.sensor < b.sensor ? -1 : 1));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.keepAll();
  }

  /** A store that takes nothing now gets the newest with the next one: a heartbeat is not worth more. */
  private async keepAll(): Promise<void> {
    this.timer = undefined;
    if (this.unkept.size === 0) return;
    const beats = [...this.unkept.values()];
    this.unkept.clear();
    await this.keep(beats).catch(() => {
      for (const beat of beats) if (!this.unkept.has(beat.sensor)) this.unkept.set(beat.sensor, beat);
    });
  }
}
