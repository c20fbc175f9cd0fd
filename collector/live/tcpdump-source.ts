import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { type CaptureChild, type CaptureWish, startChild } from "./capture-child.js";

/*
 * tcpdump hands packets on in two steps: the kernel's ring gives a block when it is full or one second old, and the
 * output is written 4 KiB at a time. The first bounds the delay, the second does not. `-U` would write each packet by
 * itself, which was measured to triple the CPU (1.7 instead of 0.55 us a packet at 400 kpps, both processes);
 * `--immediate-mode` costs six times. So a quiet tcpdump is told to flush by SIGUSR2 instead: nothing at high rates, where
 * the buffer fills by itself, and a few signals a second at low ones. Traffic is seen within 1.3 s.
 */
const RING_KIB = 32_768;
const RING_DELAY_MS = 1000; // libpcap's packet buffer timeout in tcpdump
const FLUSH_EVERY_MS = 250;
const ASK_DROPS_EVERY_MS = 2000;
const END_WITHIN_MS = 3000;

const DROPPED_BY_KERNEL = /(\d+) packets? dropped by kernel/;
const DROPPED_BY_INTERFACE = /(\d+) packets? dropped by interface/;

/**
 * Whether the process waits for something. tcpdump flushes within its signal handler, which would tear a write in
 * progress, so it is signalled only while it sleeps.
 */
function isAsleep(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2) === "S";
  } catch {
    return false;
  }
}

/** Captures with tcpdump: the kernel's times, lengths on the wire, and counts of what was dropped. */
export function startTcpdump(program: string, wish: CaptureWish): CaptureChild {
  const canFlush = process.platform === "linux";
  const args = ["-i", wish.interface, "-s", String(wish.snaplen), "-B", String(RING_KIB), "-n", "-w", "-"];
  let byKernel = 0;
  let byInterface = 0;
  const started = startChild(
    wish,
    program,
    canFlush ? args : ["-U", ...args],
    (line) => line.includes("listening on"),
    (line) => {
      byKernel = Number(DROPPED_BY_KERNEL.exec(line)?.[1] ?? byKernel);
      byInterface = Number(DROPPED_BY_INTERFACE.exec(line)?.[1] ?? byInterface);
    },
  );
  const { child } = started;
  const output = child.stdout as typeof child.stdout & Partial<Pick<Socket, "bytesRead">>;
  let bytesAtTick = 0;
  const flush = () => {
    if (canFlush && child.pid !== undefined && isAsleep(child.pid)) child.kill("SIGUSR2");
  };
  let asker: NodeJS.Timeout | undefined;
  let flusher: NodeJS.Timeout | undefined;
  void started.begun.then(
    () => {
      // Not before: until tcpdump has set its handlers these signals would end it.
      asker = setInterval(() => child.kill("SIGUSR1"), ASK_DROPS_EVERY_MS);
      flusher = setInterval(() => {
        const bytes = output.bytesRead ?? 0;
        if (bytes === bytesAtTick) flush();
        bytesAtTick = bytes;
      }, FLUSH_EVERY_MS);
    },
    () => {},
  );
  const ended = started.ended.finally(() => {
    clearInterval(asker);
    clearInterval(flusher);
  });
  return {
    program: "tcpdump",
    pcap: child.stdout,
    begun: started.begun,
    ended,
    get dropped() {
      return byKernel + byInterface;
    },
    async stop() {
      // What came until now may lie in the ring for as long as its delay; ending at once would lose it.
      await Promise.race([wait(RING_DELAY_MS + 100), ended]);
      started.expectEnd();
      child.kill("SIGINT");
      const late = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
      await ended;
      clearTimeout(late);
    },
    kill: () => child.kill("SIGKILL"),
  };
}
