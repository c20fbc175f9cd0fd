import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

function read(key: string): string | null {
  try {
    return localStorage.getItem(`portolan.${key}`);
  } catch {
    return null; // storage may be forbidden; choices then last as long as the page
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`portolan.${key}`, value);
  } catch {
    // see read()
  }
}

const stored = read("theme");
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

/** Single-letter keys disturb some ways of typing, so they can be turned off. */
export const hasLetterKeys = signal(read("keys") !== "off");

/** Changes whenever the page's colours do: canvases read them from the style and must be painted again. */
export const paletteTurn = signal(0);

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  write("theme", next);
  paletteTurn.value++;
}

export function setLetterKeys(isOn: boolean): void {
  hasLetterKeys.value = isOn;
  write("keys", isOn ? "on" : "off");
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paletteTurn.value++);

/** What a screen reader is told. */
export const announcement = signal("");
export function announce(text: string): void {
  announcement.value = text;
}
