import type { ConversationWindow } from "../model/conversation.js";
import { windowStart } from "../model/time-window.js";
import type { TimelineSlice } from "./explorer.js";

/**
 * Flow counts in at most `slices` slices of equal width that cover all windows without a hole. A slice is a whole number
 * of the widest windows, so that no window has to be split by guessing.
 */
export function timelineOf(windows: readonly ConversationWindow[], slices: number): TimelineSlice[] {
  if (windows.length === 0 || !(slices >= 1)) return [];
  let first = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let unitUs = 0;
  for (const { windowStartUs, windowUs } of windows) {
    first = Math.min(first, windowStartUs);
    end = Math.max(end, windowStartUs + windowUs);
    unitUs = Math.max(unitUs, windowUs);
  }
  first = windowStart(first, unitUs);
  const units = Math.ceil((end - first) / unitUs);
  const widthUs = Math.ceil(units / Math.floor(slices)) * unitUs;
  const line = Array.from({ length: Math.ceil((units * unitUs) / widthUs) }, (_, i) => ({
    startUs: first + i * widthUs,
    widthUs,
    answered: 0,
    failed: 0,
  }));
  for (const { windowStartUs, flows } of windows) {
    const slice = line[Math.floor((windowStartUs - first) / widthUs)];
    if (slice === undefined) continue;
    slice.answered += flows.answered;
    slice.failed += flows.refused + flows.unanswered;
  }
  return line;
}
