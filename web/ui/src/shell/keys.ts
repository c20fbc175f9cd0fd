import { go, type Place, place } from "../state/location.js";
import { hasLetterKeys } from "../state/preferences.js";
import { overview } from "../state/views.js";
import { shiftWindow } from "../timeline/timeline.js";

const GO: Readonly<Record<string, Partial<Place>>> = {
  m: { page: "explore", view: "map" },
  t: { page: "explore", view: "table" },
  x: { page: "explore", view: "matrix" },
  e: { page: "explore" },
  p: { page: "proposals" },
  n: { page: "enforcement" },
  s: { page: "sensors" },
};

const CHORD_MS = 1200;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The keys that work anywhere on the page; lists, the map and the matrix have their own while they have the focus. */
export function handleKeys(onHelp: () => void): () => void {
  let chordUntil = 0;
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") !== null) return;
    if (event.key === "Escape") {
      if (place.value.sel !== "" && place.value.page === "explore") go({ sel: "" });
      return;
    }
    if (isTyping(event.target) || !hasLetterKeys.value) return;
    const isChord = event.timeStamp < chordUntil;
    chordUntil = 0;
    if (isChord && GO[event.key] !== undefined) go(GO[event.key] as Partial<Place>);
    else if (event.key === "g") chordUntil = event.timeStamp + CHORD_MS;
    else if (event.key === "?") onHelp();
    else if (event.key === "/") {
      if (place.value.page !== "explore") go({ page: "explore" });
      requestAnimationFrame(() => document.getElementById("query")?.focus());
    } else if (
      (event.key === "[" || event.key === "]") &&
      overview.value !== undefined &&
      place.value.page === "explore"
    ) {
      shiftWindow(event.key === "[" ? -1 : 1, overview.value);
    } else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
