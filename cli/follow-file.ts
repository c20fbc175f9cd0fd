import { unwatchFile, watchFile } from "node:fs";
import { failureLines } from "./failure.js";

const POLL_MS = 1000;

/** Calls `take` when the file changes; a faulty one is told in one line and the last good one stays. Returns how to stop. */
export function followFile(
  path: string,
  say: (text: string) => void,
  take: (path: string) => Promise<unknown>,
): () => void {
  const look = () => {
    take(path).catch((error: unknown) => {
      for (const line of failureLines(error)) say(line);
    });
  };
  watchFile(path, { interval: POLL_MS }, look);
  return () => unwatchFile(path, look);
}
