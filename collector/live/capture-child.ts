import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { captureErrorOf, type LiveCaptureError } from "./live-capture-error.js";

/** What a source is to capture. */
export interface CaptureWish {
  readonly interface: string;
  readonly snaplen: number; // bytes kept of each packet
}

/** A process of its own that captures on one interface and writes pcap. */
export interface CaptureChild {
  readonly program: string; // for messages
  readonly pcap: Readable;
  /** Resolves when the capture has begun, rejects with a LiveCaptureError when it cannot. */
  readonly begun: Promise<void>;
  /** Resolves when the process has ended: undefined after `stop`, else why. */
  readonly ended: Promise<LiveCaptureError | undefined>;
  /** Packets lost since the start, or "unknown" where the source cannot tell. As of the last time it was asked. */
  readonly dropped: number | "unknown";
  /** Ends the capture after what came in until now has been handed out. */
  stop(): Promise<void>;
  /** Ends the process at once. */
  kill(): void;
}

/** Where `program` is on the PATH, or undefined. */
export function findProgram(program: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Complaints are kept for the message that ends the capture; more than this of them is not. */
const COMPLAINT_CHARACTERS = 8192;

export interface StartedChild {
  readonly child: ChildProcessWithoutNullStreams;
  readonly begun: Promise<void>;
  readonly ended: Promise<LiveCaptureError | undefined>;
  /** From now on the end of the process is no failure. */
  expectEnd(): void;
}

/**
 * Starts a capturing program that tells by a line on stderr that it has begun.
 * @param onLine called with each line of stderr
 */
export function startChild(
  wish: CaptureWish,
  command: string,
  args: readonly string[],
  isBegun: (line: string) => boolean,
  onLine: (line: string) => void,
): StartedChild {
  // In a process group of its own: Ctrl-C is for us, who end it after its last packets.
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin.on("error", () => {}); // it may end before it has read anything
  let complaint = "";
  let rest = "";
  let isExpected = false;
  let began = () => {};
  const begun = new Promise<void>((resolve) => {
    began = resolve;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-COMPLAINT_CHARACTERS);
    for (const line of lines) {
      if (isBegun(line)) began();
      else complaint = `${complaint}${line}\n`.slice(-COMPLAINT_CHARACTERS);
      onLine(line);
    }
  });
  const ended = new Promise<LiveCaptureError | undefined>((resolve) => {
    const fail = (text: string) => resolve(isExpected ? undefined : captureErrorOf(wish.interface, text));
    child.once("error", (error) => fail(error.message));
    child.once("close", () => fail(complaint + rest));
  });
  const stopGuard = guardChild(child);
  void ended.then(stopGuard);
  return {
    child,
    begun: Promise.race([begun, ended.then((error) => (error === undefined ? undefined : Promise.reject(error)))]),
    ended,
    expectEnd: () => {
      isExpected = true;
    },
  };
}

/**
 * Sees to it that `child` does not outlive this process. A process that is killed cannot do it itself, so a shell waits
 * on a pipe that closes with this process, and then ends the child.
 */
function guardChild(child: ChildProcess): () => void {
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const script = 'read -r _; kill -TERM "$1"';
  const guard =
    child.pid === undefined
      ? undefined
      : spawn("/bin/sh", ["-c", script, "sh", String(child.pid)], {
          stdio: ["pipe", "ignore", "ignore"],
          detached: true,
        });
  guard?.on("error", () => {}); // without a shell the child ends at its next write, into a closed pipe
  guard?.unref();
  return () => {
    process.off("exit", end);
    guard?.kill("SIGKILL");
  };
}
