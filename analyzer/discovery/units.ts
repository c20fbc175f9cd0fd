import type { ConversationWindow } from "../../model/conversation.js";
import { HOUR_US, MINUTE_US, windowStart } from "../../model/time-window.js";

/** The unit of learning: how wide one window is counted, and the span that was watched. */
export interface Units {
  readonly widthUs: number; // HOUR_US, or MINUTE_US for a short capture
  readonly firstStartUs: number; // start of unit 0
  readonly count: number; // from the first to the last window, silent ones included
  readonly fromUs: number; // first packet
  readonly untilUs: number; // last packet
}

/**
 * Hours are the unit, because a window counts as independent evidence only when it is long. A capture shorter than
 * `shortCaptureUs` would have none to speak of, so it is counted in minutes if its windows are; the readiness gates then
 * still ask for hours.
 */
export function unitsOf(windows: readonly ConversationWindow[], shortCaptureUs: number): Units {
  let fromUs = Number.POSITIVE_INFINITY;
  let untilUs = Number.NEGATIVE_INFINITY;
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = Number.NEGATIVE_INFINITY;
  let isFine = true;
  for (const window of windows) {
    fromUs = Math.min(fromUs, window.firstSeenUs);
    untilUs = Math.max(untilUs, window.lastSeenUs);
    firstUs = Math.min(firstUs, window.windowStartUs);
    lastUs = Math.max(lastUs, window.windowStartUs);
    isFine &&= window.windowUs <= MINUTE_US;
  }
  if (windows.length === 0) return { widthUs: HOUR_US, firstStartUs: 0, count: 0, fromUs: 0, untilUs: 0 };
  const widthUs = isFine && untilUs - fromUs < shortCaptureUs ? MINUTE_US : HOUR_US;
  const firstStartUs = windowStart(firstUs, widthUs);
  const count = Math.round((windowStart(lastUs, widthUs) - firstStartUs) / widthUs) + 1;
  return { widthUs, firstStartUs, count, fromUs, untilUs };
}

export function unitOf(units: Units, windowStartUs: number): number {
  return Math.floor((windowStartUs - units.firstStartUs) / units.widthUs);
}
