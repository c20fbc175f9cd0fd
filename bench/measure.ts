import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What one run of a command cost. CPU is that of the command and all it started. */
export interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number; // of the largest process; read every 10 ms, so a very short peak at the end is missed
  readonly output: string;
}

const SAMPLE_MS = 10;

function isThere(command: string): boolean {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", command]).status === 0;
}

export const hasTcpdump = isThere("tcpdump");
const PIN = isThere("taskset") ? ["taskset", "-c", "0"] : [];

/** Whether measured commands are held to one core. */
export const isPinned = PIN.length > 0;

function peakMiB(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const below = children === "" ? [] : children.split(" ").map((child) => peakMiB(Number(child)));
    return Math.max(Number(kib ?? 0) / 1024, ...below);
  } catch {
    return 0; // it has ended, or there is no /proc
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}

/**
 * Runs a command once, alone in its process, held to one core where that is possible unless `allCores`.
 * @throws {Error} With what it printed, if it fails.
 */
export async function measure(
  command: readonly string[],
  options: { readonly allCores?: boolean } = {},
): Promise<Cost> {
  const pinned = options.allCores ? command : [...PIN, ...command];
  // The shell's own clock counts the CPU of the command and of its children, which Node does not tell.
  const script = 'TIMEFORMAT="cost %R %U %S"; time "$@"';
  const child = spawn("bash", ["-c", script, "bash", ...pinned], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, peakMiB(child.pid as number));
  }, SAMPLE_MS);
  const code = await ended(child).finally(() => clearInterval(sampler));
  const cost = /^cost ([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(errors);
  if (code !== 0 || cost === null) {
    throw new Error(`Cannot measure "${command.join(" ")}": exit ${code}: ${errors.trim().slice(-2000)}`);
  }
  const [wall, user, system] = cost.slice(1).map(Number) as [number, number, number];
  return { wallSeconds: wall, cpuSeconds: user + system, peakMiB: peak, output };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Medians over `runs` runs of several commands, taken in turns so that drift of the machine meets all alike. */
export async function measureInTurns(
  commands: readonly (readonly string[])[],
  runs: number,
  options: { readonly allCores?: boolean } = {},
): Promise<Cost[]> {
  const costs: Cost[][] = commands.map(() => []);
  for (let run = 0; run < runs; run++) {
    for (const [i, command] of commands.entries()) (costs[i] as Cost[]).push(await measure(command, options));
  }
  return costs.map((each) => ({
    wallSeconds: median(each.map((cost) => cost.wallSeconds)),
    cpuSeconds: median(each.map((cost) => cost.cpuSeconds)),
    peakMiB: median(each.map((cost) => cost.peakMiB)),
    output: (each[0] as Cost).output,
  }));
}
