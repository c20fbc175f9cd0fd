import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));
/** The kernel ends it with the test's own process, however that ends. */
const WITH_US = ["setpriv", "--pdeathsig", "KILL"];

/** A `portolan` process, in a group of its own, and what it has said so far. */
export class PortolanProcess {
  output = "";
  errors = "";
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #isClosed = false;

  /** @param within words before the command, such as `ip netns exec NAME` */
  constructor(args: readonly string[], within: readonly string[] = []) {
    const [command, ...rest] = [...within, ...WITH_US, process.execPath, PORTOLAN, ...args] as [string, ...string[]];
    this.#child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#closed = once(this.#child, "close").then(() => {
      this.#isClosed = true;
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when stderr has what is wanted; fails when the process has ended, and all it said is read. */
  async says(wanted: string | RegExp): Promise<void> {
    while (!(typeof wanted === "string" ? this.errors.includes(wanted) : wanted.test(this.errors))) {
      assert.ok(!this.#isClosed, `it ended without saying ${wanted}: ${this.errors}`);
      await wait(20);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(-(this.#child.pid as number), signal);
  }

  /** Resolves with the exit code when the process is gone; null after a signal. */
  async exit(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit();
  }
}
