import { networkInterfaces } from "node:os";

/** The interface to watch when the user names none: Linux watches all at once, elsewhere the first that is not loopback. */
export function defaultInterface(): string {
  if (process.platform === "linux") return "any";
  const named = Object.entries(networkInterfaces()).find(([, list]) => list?.some((entry) => !entry.internal));
  return named?.[0] ?? "lo0";
}
