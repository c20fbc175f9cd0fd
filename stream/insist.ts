import { setTimeout as sleep } from "node:timers/promises";

const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 5_000;

/**
 * Attempts again until it succeeds, after a pause that doubles from 50 ms to 5 s; undefined when `stop` came first.
 * What fails has reported its own failure; what it needs from a carrier is another chance, and never silence.
 */
export async function insist<T>(attempt: () => Promise<T>, stop: AbortSignal): Promise<{ value: T } | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; !stop.aborted; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
    try {
      return { value: await attempt() };
    } catch {
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    }
  }
  return undefined;
}
