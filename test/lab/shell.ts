import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What the lab cannot do here: no root, a program missing. The message is one line for the user. */
export class LabEnvironmentError extends Error {
  override readonly name = "LabEnvironmentError";
}

export interface Ran {
  readonly status: number; // 124 when the time was up
  readonly stdout: string;
  readonly stderr: string;
}

const SEARCHED = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The absolute path of an installed program, or `undefined`. Looks into the sbin folders whatever PATH says. */
export function findProgram(name: string): string | undefined {
  for (const folder of SEARCHED) {
    const path = join(folder === "" ? "." : folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

export interface RunOptions {
  readonly timeoutMs?: number; // two minutes when absent; then it is killed
  readonly input?: string;
  readonly signal?: AbortSignal; // kills it
}

/** Runs a program to its end; never rejects for what the program says. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { timeoutMs = 120_000, input, signal } = options;
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { timeout: timeoutMs, signal, killSignal: "SIGKILL", maxBuffer: 16 << 20, encoding: "utf8" },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : error.killed ? 124 : typeof error.code === "number" ? error.code : 127;
        resolve({ status, stdout, stderr: error !== null && stderr === "" ? error.message : stderr });
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** @throws {Error} With the program's first complaint if it does not end with 0. */
export async function must(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(program, args, options);
  if (ran.status !== 0) {
    const complaint = ran.stderr.trim().split("\n").slice(0, 3).join("; ");
    throw new Error(`Cannot run "${program} ${args.join(" ")}": status ${ran.status}: ${complaint}`);
  }
  return ran.stdout;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
