import type { LiveState } from "../../collector/live/live-capture.js";
import type { Condition } from "../../web/api/probes.js";

/** Whether packets are taken. An interface that has gone may come back, but until then nothing is seen. */
export function captureCondition(state: LiveState | undefined): Condition {
  const text =
    state === undefined ? "not begun" : state.kind === "capturing" ? `by ${state.program}` : state.error.message;
  return { name: "capture", isMet: state?.kind === "capturing", isNeeded: true, text };
}
