import { signal } from "@preact/signals";

/**
 * Counts up each time fonts have arrived. A canvas does not draw its text anew by itself, and the fonts that only a canvas
 * uses are asked for when it is painted for the first time: so what was painted or measured before has to be done again.
 */
export const fontTurn = signal(0);

document.fonts.addEventListener("loadingdone", () => {
  fontTurn.value++;
});
