import { HOSTS, workloadId } from "./company.js";
import { Evidence } from "./evidence.js";
import { forbiddenEdges, type IntendedEdge, intendedEdges } from "./intent.js";
import type { Lab } from "./lab.js";
import { parseScan, SCANNER, scans } from "./scanner.js";
import { sleep } from "./shell.js";
import { type Habit, habits } from "./traffic.js";
import type { TruthRow } from "./truth.js";

export interface DayResult {
  readonly swappedAtMs: number;
  readonly truth: readonly TruthRow[];
  readonly missing: readonly string[]; // intended edges that never succeeded, as lines
  readonly calls: number;
  readonly failures: readonly string[]; // calls that should have succeeded and did not, as lines
}

/** How long, at most and at a time, clients go on after their time for what a busy machine left undone. */
const OVERTIME_MS = 150_000;
const OVERTIME_TURN_MS = 8_000;

/**
 * Lets the company live for `minutes`: every client keeps its habits, the scanner comes twice, halfway one address changes its
 * workload. The truth is what the programs themselves report. Where calls were so slow that an edge never occurred, the half
 * goes on until it has.
 */
export async function liveADay(
  lab: Lab,
  minutes: number,
  signal: AbortSignal,
  onMinute: (text: string) => void,
): Promise<DayResult> {
  const halfMs = minutes * 30_000;
  const evidence = new Evidence();
  const scanned: TruthRow[] = [];
  let calls = 0;
  const failures: string[] = [];
  const all = habits(lab.folder);
  const startMs = Date.now();

  const live = (habit: Habit, lengthMs: number): Promise<void> =>
    keep(habit, lengthMs, signal, async (round) => {
      const call = habit.call(round);
      const { status, stdout, stderr } = await lab.call(habit.host, call, { signal });
      calls++;
      if (habit.proves === undefined) return;
      const edges = status === 0 ? habit.proves(round, stdout) : [];
      for (const edge of edges) evidence.note(edge);
      if (edges.length === 0 && !signal.aborted)
        failures.push(`${habit.host}: ${call.program}: ${stderr.trim().split("\n")[0]}`);
    });
  const scan = async (afterMs: number, isSecondHalf: boolean): Promise<void> => {
    await pause(afterMs, signal);
    const holders = HOSTS.filter((host) => host.life !== (isSecondHalf ? "first-half" : "second-half"));
    for (const call of scans(minutes < 3 ? 100 : 25)) {
      if (signal.aborted) return;
      const { stdout } = await lab.call(SCANNER, call, { timeoutMs: 120_000, signal });
      scanned.push(...parseScan(stdout, holders).map((edge) => ({ expect: "never" as const, ...edge })));
    }
  };
  const undone = (life: Habit["life"]): readonly IntendedEdge[] => {
    evidence.readLogs(lab.services, swappedAtMs);
    return intendedEdges().filter((edge) => evidence.times(edge) === 0 && isPartOf(edge, life));
  };
  const workOvertime = async (life: Habit["life"]): Promise<void> => {
    const able = all.filter((habit) => habit.mostRounds === undefined && ["whole", life].includes(habit.life));
    const endMs = Date.now() + OVERTIME_MS;
    while (!signal.aborted && Date.now() < endMs && undone(life).length > 0) {
      await Promise.all(able.map((habit) => live(habit, OVERTIME_TURN_MS)));
    }
  };
  let swappedAtMs = Number.POSITIVE_INFINITY;
  const ticker = setInterval(() => {
    const passed = Math.round((Date.now() - startMs) / 60_000);
    onMinute(`minute ${passed} of ${minutes}: ${calls} calls`);
  }, 60_000);

  try {
    const whole = all.filter((habit) => habit.life === "whole").map((habit) => live(habit, 2 * halfMs));
    const first = all.filter((habit) => habit.life === "first-half").map((habit) => live(habit, halfMs - 2_000));
    await Promise.all([...first, scan(halfMs * 0.3, false), pause(halfMs, signal)]);
    await workOvertime("first-half");
    swappedAtMs = signal.aborted ? startMs : await lab.swapWorkers();
    const leftMs = Math.max(halfMs / 2, startMs + 2 * halfMs - Date.now());
    const second = all.filter((habit) => habit.life === "second-half").map((habit) => live(habit, leftMs));
    await Promise.all([...whole, ...second, scan(leftMs * 0.4, true)]);
    if (await lab.isReplicaStreaming()) {
      evidence.note({ client: "data/db-2", server: "data/db-1", protocol: "tcp", port: 5432 });
    }
    await workOvertime("second-half");

    evidence.readLogs(lab.services, swappedAtMs);
    const intended = intendedEdges();
    const allowed = intended.filter((edge) => evidence.times(edge) > 0);
    return {
      swappedAtMs,
      truth: [
        ...allowed.map((edge) => ({ expect: "allow" as const, ...edge })),
        ...forbiddenEdges().map((edge) => ({ expect: "never" as const, ...edge })),
        ...scanned,
      ],
      missing: intended
        .filter((edge) => evidence.times(edge) === 0)
        .map((edge) => `${edge.client} to ${edge.server}, ${edge.protocol} ${edge.port}`),
      calls,
      failures,
    };
  } finally {
    clearInterval(ticker);
  }
}

/** Whether an edge is to have occurred when the half of its shorter-lived end is over. */
function isPartOf(edge: IntendedEdge, life: Habit["life"]): boolean {
  const lives = HOSTS.filter((host) => [edge.client, edge.server].includes(workloadId(host))).map((host) => host.life);
  return life === "first-half" ? lives.includes(life) : !lives.includes("first-half");
}

/** Runs `act` with the habit's period, or as often as its least rounds need in `lengthMs`; a late round is not made up for. */
async function keep(
  habit: Habit,
  lengthMs: number,
  signal: AbortSignal,
  act: (round: number) => Promise<void>,
): Promise<void> {
  const endMs = Date.now() + lengthMs - 1_000;
  const periodMs = Math.min(habit.periodMs, (lengthMs - 1_000) / (habit.leastRounds + 1));
  await pause(nextOffset() * periodMs, signal);
  const most = habit.mostRounds ?? Number.POSITIVE_INFINITY;
  for (let round = 0; round < most && !signal.aborted && Date.now() < endMs; round++) {
    const nextMs = Date.now() + periodMs * (0.8 + 0.4 * Math.random());
    await act(round);
    await pause(Math.max(0, Math.min(nextMs, endMs) - Date.now()), signal);
  }
}

let started = 0;

/** Habits start one after the other, not all at once: the golden ratio spreads any number of them evenly over 0..1. */
function nextOffset(): number {
  return (started++ * 0.618_034) % 1;
}

/** Sleeps, shorter when the lab is interrupted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const untilMs = Date.now() + ms;
  while (!signal.aborted && Date.now() < untilMs) await sleep(Math.min(200, Math.max(1, untilMs - Date.now())));
}
