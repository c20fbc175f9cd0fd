import { unwatchFile, watchFile } from "node:fs";
import type { Analyzer } from "../analyzer/analyzer.js";
import { failureLines } from "./failure.js";
import { readInventory } from "./read-inventory.js";

const POLL_MS = 1_000;

/** Takes over a corrected inventory file as it is saved; a faulty one is reported and the last good one stays. */
export function followInventoryFile(path: string, analyzer: Analyzer, say: (line: string) => void): () => void {
  watchFile(path, { interval: POLL_MS }, () => {
    Promise.resolve()
      .then(() => analyzer.setInventory(readInventory(path)))
      .then(
        () => say(`inventory "${path}" taken over`),
        (error: unknown) => {
          for (const line of failureLines(error)) say(line);
        },
      );
  });
  return () => unwatchFile(path);
}
