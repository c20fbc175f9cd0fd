import { computed, signal } from "@preact/signals";
import { refresh } from "./resource.js";

/** Whether the server tells us of changes: the page says so when it does not. */
export const connection = signal<"connecting" | "open" | "lost">("connecting");

const shown = signal<number | undefined>(undefined);
const latest = signal<number | undefined>(undefined);

/** The data has changed since it was read. Nothing moves until the reader asks for it. */
export const hasNews = computed(
  () => latest.value !== undefined && shown.value !== undefined && latest.value > shown.value,
);

export function showNews(): void {
  shown.value = latest.value;
  refresh.value++;
}

export function listen(): void {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => {
    if (connection.value === "lost") refresh.value++;
    connection.value = "open";
  });
  events.addEventListener("error", () => {
    connection.value = "lost";
  });
  events.addEventListener("revision", (event) => {
    const { revision } = JSON.parse((event as MessageEvent<string>).data) as { revision: number };
    // A server that starts anew counts from the beginning.
    if (shown.value === undefined || revision < shown.value) shown.value = revision;
    latest.value = revision;
  });
}
