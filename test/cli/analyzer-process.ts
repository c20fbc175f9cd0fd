import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));
/** The kernel ends it with the test's own process, however that ends. */
const WITH_US = ["setpriv", "--pdeathsig", "KILL"];

export interface AnalyzerTotals {
  readonly batches: number;
  readonly duplicates: number;
  readonly flows: number;
}

/** A running `portolan analyzer`. */
export class AnalyzerProcess {
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;
  private isClosed = false; // it has ended, and all it said is read
  private said = "";
  private printed = "";

  constructor(args: readonly string[], within: readonly string[] = []) {
    const all = ["analyzer", "--listen", "127.0.0.1:0", "--json", ...args];
    const [command = "", ...rest] = [...within, ...WITH_US, process.execPath, PORTOLAN, ...all];
    this.child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.printed += text));
    this.closed = once(this.child, "close").then(() => {
      this.isClosed = true;
    });
  }

  /** Everything said on stderr so far. */
  get log(): string {
    return this.said;
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.said);
      if (match !== null) return match;
      if (this.isClosed) throw new Error(`It ended: ${this.said}`);
      await wait(20);
    }
  }

  /** What the API answers at `path`. */
  async asks<T>(path: string): Promise<T> {
    const [, url = ""] = await this.says(/explorer: (http:\S+)/);
    const response = await fetch(new URL(path, url));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  private async metricsText(): Promise<string> {
    const [, url = ""] = await this.says(/explorer: (http:\S+)/);
    return (await fetch(new URL("/metrics", url))).text();
  }

  /** The metrics that have no labels, by name. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await this.metricsText();
    return new Map([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name = "", value]) => [name, Number(value)]));
  }

  /** The value of a metric without labels; 0 where it has no sample. */
  async metric(name: string): Promise<number> {
    return (await this.metrics()).get(name) ?? 0;
  }

  /** Resolves when a metric is at least `least`. */
  async reaches(name: string, least: number): Promise<void> {
    while ((await this.metric(name)) < least) await wait(50);
  }

  /** Resolves when the metrics have a line like this. */
  async shows(line: RegExp): Promise<void> {
    while (!line.test(await this.metricsText())) await wait(50);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.closed;
  }

  /** Ends it as a service manager does. */
  async stop(): Promise<{ readonly code: number | null; readonly totals: AnalyzerTotals }> {
    this.child.kill("SIGTERM");
    await this.closed;
    const code = this.child.exitCode;
    if (code !== 0) throw new Error(`It ended with ${code}: ${this.said}`);
    return { code, totals: JSON.parse(this.printed) as AnalyzerTotals };
  }
}
