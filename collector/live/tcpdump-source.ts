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
const ASK_COUNTS_EVERY_MS = 2000;
const ASK_COUNTS_AT_END_EVERY_MS = 100;
/** Answers in a row, at the end, that told of no packet handed out. */
const STUCK_AFTER_ANSWERS = (RING_DELAY_MS + 500) / ASK_COUNTS_AT_END_EVERY_MS;
const MOST_QUESTIONS = 4000 / ASK_COUNTS_AT_END_EVERY_MS; // traffic goes on meanwhile, so that something always moves
const END_WITHIN_MS = 5000;

const CAPTURED = /(\d+) packets? captured/;
const RECEIVED = /(\d+) packets? received by filter/;
const DROPPED_BY_KERNEL = /(\d+) packets? dropped by kernel/;
const DROPPED_BY_INTERFACE = /(\d+) packets? dropped by interface/;

/** tcpdump's own counts, since its start. It tells them when asked by SIGUSR1, and at its end. */
class Counts {
  reports = 0;
  captured = 0; // handed out
  dropped = 0; // by the kernel, the ring being full, and by the interface
  #received = 0; // by the kernel, with those that it dropped
  #byKernel = 0;
  #byInterface = 0;

  /** Packets that are or were to be handed out. */
  get wanted(): number {
    return this.#received - this.#byKernel;
  }

  /** Takes a line of a report, which is one line or three. */
  take(line: string): void {
    const count = (pattern: RegExp, before: number) => Number(pattern.exec(line)?.[1] ?? before);
    this.captured = count(CAPTURED, this.captured);
    this.#received = count(RECEIVED, this.#received);
    this.#byKernel = count(DROPPED_BY_KERNEL, this.#byKernel);
    this.#byInterface = count(DROPPED_BY_INTERFACE, this.#byInterface);
    this.dropped = this.#byKernel + this.#byInterface;
    if (DROPPED_BY_KERNEL.test(line)) this.reports++;
  }
}

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
  const counts = new Counts();
  let leftBehind = 0; // packets that were in the ring when the end could not wait any longer
  const started = startChild(
    wish,
    program,
    canFlush ? args : ["-U", ...args],
    (line) => line.includes("listening on"),
    (line) => counts.take(line),
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
      asker = setInterval(() => child.kill("SIGUSR1"), ASK_COUNTS_EVERY_MS);
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
  /**
   * Waits until what has come so far is handed out, as ending at once would lose what lies in the ring. Gives up when
   * nothing moves any more, which is told by answers and not by the clock: a machine that holds this process or tcpdump up
   * for seconds takes no packet from it. @returns how many packets have come so far and are for us
   *
   * The kernel counts a packet on the loopback twice, on its way out and in, and libpcap hands it out once. So when tcpdump
   * sleeps with nothing left to do, what is not handed out was not for us.
   */
  async function drainRing(): Promise<number> {
    let isEnded = false;
    void ended.then(() => {
      isEnded = true;
    });
    const asked = counts.reports;
    let wanted: number | undefined;
    let captured = counts.captured;
    let still = 0;
    for (let turn = 0; !isEnded && turn < MOST_QUESTIONS && still < STUCK_AFTER_ANSWERS; turn++) {
      const answered = counts.reports;
      child.kill("SIGUSR1");
      await Promise.race([wait(ASK_COUNTS_AT_END_EVERY_MS), ended]);
      // The first report may be the answer to an earlier question, but one that came in after it is not.
      if (counts.reports > asked + 1) wanted ??= counts.wanted;
      if (wanted !== undefined && counts.captured >= wanted) break;
      if (counts.captured > captured) still = 0;
      else if (counts.reports > answered) still++;
      captured = counts.captured;
    }
    const isDone = !isEnded && child.pid !== undefined && isAsleep(child.pid) && output.readableLength === 0;
    return isDone ? 0 : (wanted ?? 0);
  }
  return {
    program: "tcpdump",
    pcap: child.stdout,
    begun: started.begun,
    ended,
    get dropped() {
      return counts.dropped + leftBehind;
    },
    async stop() {
      const wanted = await drainRing();
      started.expectEnd();
      child.kill("SIGINT");
      const late = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
      await ended;
      clearTimeout(late);
      leftBehind = Math.max(0, wanted - counts.captured);
    },
    kill: () => child.kill("SIGKILL"),
  };
}
