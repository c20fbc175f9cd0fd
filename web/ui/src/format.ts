import { visibleText } from "../../../model/visible-text.js";

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value: number): string => COUNT.format(value);

/** `1 edge`, `2 edges`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function bytes(value: number): string {
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 || amount >= 100 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** `2026-03-02 06:00:05`, in UTC like everything Portolan shows. */
export function time(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 19).replace("T", " ");
}

export function shortTime(us: number): string {
  return new Date(us / 1000).toISOString().slice(5, 16).replace("T", " ");
}

export function duration(us: number): string {
  const minutes = Math.round(us / 60_000_000);
  if (minutes < 1) return `${Math.max(1, Math.round(us / 1_000_000))} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** A short time as one reads it: `40 ms`, `1.2 s`, `3 min`. */
export function milliseconds(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms * 1000);
}

/** Names come from the wire: shown, never run, and never able to disturb the line they stand in. */
export const shown = visibleText;
