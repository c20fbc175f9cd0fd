import { createRequire } from "node:module";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type CaptureChild, type CaptureWish, startChild } from "./capture-child.js";

const FLUSH_DELAY_MS = 200; // see cap-child.ts
const END_WITHIN_MS = 3000;

/** Whether the optional package `cap` was installed; asked without loading it, since it may abort the process. */
export function isCapInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("cap");
    return true;
  } catch {
    return false;
  }
}

/**
 * Captures with the package `cap` in a process of its own. It cannot tell what was lost, and a kernel filter lets pass only
 * what opens and ends connections and what may tell names, so packets and bytes of TCP flows are lower bounds.
 */
export function startCap(wish: CaptureWish): CaptureChild {
  const script = fileURLToPath(new URL("./cap-child.js", import.meta.url));
  const started = startChild(
    wish,
    process.execPath,
    [script, wish.interface, String(wish.snaplen)],
    (line) => line === "listening",
    () => {},
  );
  return {
    program: "cap",
    pcap: started.child.stdout,
    begun: started.begun,
    ended: started.ended,
    dropped: "unknown",
    async stop() {
      await Promise.race([wait(FLUSH_DELAY_MS), started.ended]);
      started.expectEnd();
      started.child.stdin.end();
      const late = setTimeout(() => started.child.kill("SIGKILL"), END_WITHIN_MS);
      await started.ended;
      clearTimeout(late);
    },
    kill: () => started.child.kill("SIGKILL"),
  };
}
