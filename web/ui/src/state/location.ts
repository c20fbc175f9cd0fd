import { computed, signal } from "@preact/signals";
import { formatPlace, nameList, type Place, parsePlace, START } from "./place.js";

export { type Camera, formatPlace, type Place, roundCamera, SPANS, type Span, START } from "./place.js";

export const place = signal<Place>(START);

/** Changes the address: `push` leaves a step to go back to, `replace` does not. */
export function go(patch: Partial<Place>, how: "push" | "replace" = "push"): void {
  const next = { ...place.peek(), ...patch };
  const address = formatPlace(next);
  place.value = next;
  if (address === window.location.pathname + window.location.search) return;
  if (how === "push") window.history.pushState(null, "", address);
  else window.history.replaceState(null, "", address);
}

export function followAddress(): void {
  const read = () => {
    place.value = parsePlace(window.location.pathname, window.location.search);
  };
  window.addEventListener("popstate", read);
  read();
}

/** The parameters that every view of the explorer asks the API with. */
export const viewParams = computed(() => {
  const { level, q, from, until } = place.value;
  const params = new URLSearchParams({ level });
  if (q !== "") params.set("q", q);
  if (from !== undefined) params.set("from", String(from));
  if (until !== undefined) params.set("until", String(until));
  return params.toString();
});

export const groupingParams = computed(() => {
  const { group, open, closed } = place.value;
  const params = new URLSearchParams();
  if (group !== START.group) params.set("group", group);
  if (open === "all") params.set("open", "*");
  else if (open.length > 0) params.set("open", nameList(open));
  if (closed.length > 0) params.set("closed", nameList(closed));
  return params.toString();
});
