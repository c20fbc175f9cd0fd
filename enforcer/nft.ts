import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { EnforcerError } from "./enforcer-error.js";

/** Where and how long nft runs. */
export interface NftOptions {
  /** Words before `nft`, e.g. `ip netns exec NAME` for a namespace other than ours. */
  readonly wrap?: readonly string[];
  readonly timeoutMs?: number; // 30 seconds when absent
}

const LONGEST_ANSWER = 512 << 20; // characters
const LONGEST_COMPLAINT = 4096;

/** The complaint of nft as one line, without the source that it quotes. */
function complaintOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const told = lines.filter((line) => /error|denied|permitted|not /i.test(line));
  return (told.length > 0 ? told : lines).slice(0, 3).join("; ").slice(0, 500) || "it gave no reason";
}

function codeOf(complaint: string): "permission" | "rejected" {
  return /operation not permitted|permission denied/i.test(complaint) ? "permission" : "rejected";
}

/**
 * The only place that starts nft: text in, text or JSON out, never through a shell. Each call is one process; all commands
 * of one `apply` are one transaction of the kernel.
 */
export class Nft {
  readonly #wrap: readonly string[];
  readonly #timeoutMs: number;
  readonly #own = new Set<number>();

  constructor({ wrap = [], timeoutMs = 30_000 }: NftOptions = {}) {
    this.#wrap = wrap;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {EnforcerError} `rejected` if any line is wrong: then none of it is in force. */
  async apply(text: string): Promise<void> {
    await this.#run(["-f", "-"], text);
  }

  /** Whether the kernel would take the text, without changing anything. @throws {EnforcerError} */
  async check(text: string): Promise<void> {
    await this.#run(["-c", "-f", "-"], text);
  }

  /** What nft prints for one command, such as `list table inet portolan`, with numbers for names. */
  async text(command: string, ...options: readonly string[]): Promise<string> {
    return await this.#run(["-n", ...options, command], "");
  }

  /**
   * The objects that nft lists for each of the commands. What does not exist is an empty list.
   * @throws {EnforcerError} `unreadable-listing` if it is no JSON.
   */
  async list(...commands: readonly string[]): Promise<readonly unknown[][]> {
    let text: string;
    try {
      text = await this.#run(["-n", "-j", commands.join("; ")], "");
    } catch (error) {
      const isAbsent = error instanceof EnforcerError && /No such file or directory/.test(error.message);
      if (isAbsent) return commands.map(() => []);
      throw error;
    }
    const documents = text.split("\n").filter((line) => line.startsWith("{"));
    try {
      return documents.map((line) => (JSON.parse(line) as { nftables: unknown[] }).nftables);
    } catch (error) {
      throw new EnforcerError("unreadable-listing", "Cannot read what nft lists: it is not JSON", { cause: error });
    }
  }

  /** The version that nft says it has, such as [1, 0, 6]. */
  async version(): Promise<readonly number[]> {
    const text = await this.#run(["--version"], "");
    return (/v(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
  }

  /**
   * Follows what changes the ruleset, ours or not: calls back with the process that did it, once for each transaction.
   * Begins again when nft ends. Returns how to stop.
   */
  monitor(onChange: (by: { readonly pid: number; readonly isOurs: boolean }) => void): () => void {
    const stopping = new AbortController();
    const follow = async () => {
      while (!stopping.signal.aborted) {
        const child = this.#spawn(["-n", "monitor"]);
        const end = () => child.kill("SIGKILL");
        stopping.signal.addEventListener("abort", end);
        let rest = "";
        child.stdin?.end();
        child.stderr?.resume();
        child.stdout?.setEncoding("utf8").on("data", (text: string) => {
          const lines = (rest + text).split("\n");
          rest = (lines.pop() ?? "").slice(-LONGEST_COMPLAINT);
          for (const line of lines) {
            const pid = Number(/^# new generation \d+ by process (\d+)/.exec(line)?.[1] ?? Number.NaN);
            if (Number.isInteger(pid)) onChange({ pid, isOurs: this.#own.has(pid) });
          }
        });
        await once(child, "close").catch(() => {});
        stopping.signal.removeEventListener("abort", end);
        if (!stopping.signal.aborted) await wait(1000, undefined, { signal: stopping.signal }).catch(() => {});
      }
    };
    void follow();
    return () => stopping.abort();
  }

  #spawn(args: readonly string[]): ChildProcess {
    const [program, ...rest] = [...this.#wrap, "nft", ...args] as [string, ...string[]];
    const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] });
    child.on("error", () => {}); // told by "close", with what there is to tell
    if (child.pid !== undefined) this.#remember(child.pid);
    return child;
  }

  /** Process numbers come again after a while, so only the last few are ours. */
  #remember(pid: number): void {
    this.#own.add(pid);
    if (this.#own.size > 64) for (const oldest of [...this.#own].slice(0, 32)) this.#own.delete(oldest);
  }

  #run(args: readonly string[], input: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(args);
      const chunks: string[] = [];
      let length = 0;
      let complaint = "";
      let failure: Error | undefined;
      const timer = setTimeout(() => {
        failure = new EnforcerError("timeout", `Cannot run nft: it took more than ${this.#timeoutMs} ms`);
        child.kill("SIGKILL");
      }, this.#timeoutMs);
      child.once("error", (error) => {
        const text = `Cannot run nft: ${error.message}; install the package nftables`;
        failure ??= new EnforcerError("no-nft", text, { cause: error });
      });
      child.stdin?.on("error", () => {}); // it may end before it has read all
      child.stdin?.end(input);
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        length += text.length;
        if (length <= LONGEST_ANSWER) chunks.push(text);
      });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        if (complaint.length < LONGEST_COMPLAINT) complaint += text.slice(0, LONGEST_COMPLAINT);
      });
      child.once("close", (status) => {
        clearTimeout(timer);
        if (failure === undefined && status !== 0) {
          const told = complaintOf(complaint);
          failure = new EnforcerError(codeOf(complaint), `Cannot run nft ${args.join(" ").slice(0, 80)}: ${told}`);
        }
        if (failure === undefined && length > LONGEST_ANSWER) {
          failure = new EnforcerError("unreadable-listing", "Cannot read what nft lists: it is too long");
        }
        if (failure === undefined) resolve(chunks.join(""));
        else reject(failure);
      });
    });
  }
}
