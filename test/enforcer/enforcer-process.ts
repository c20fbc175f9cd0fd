import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ControlAnswer } from "../../enforcer/control/control-answer.js";
import { askEnforcer } from "../../enforcer/control/control-client.js";
import type { ControlRequest } from "../../enforcer/control/control-protocol.js";
import type { HostStatus } from "../../enforcer/host-enforcer.js";
import { formatInventory } from "../../model/inventory-format.js";
import type { Inventory } from "../../model/workload.js";
import { KEYRING_TEXT } from "./release.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

/** root without any of its powers but the one that changes a network namespace's rules; the kernel ends it with the test. */
const NET_ADMIN_ALONE = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["--bounding-set", "-all,+net_admin", "--inh-caps", "-all,+net_admin"],
];

/** `portolan enforce` as users run it, in a network namespace, with one capability. */
export class EnforcerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), `portolan-enforce-${process.pid}-`));
  readonly socket = join(this.folder, "run", "enforcer.sock");
  #child: ChildProcess | undefined;
  #log = "";

  constructor(
    readonly within: readonly string[],
    readonly host: string,
    inventory: Inventory,
  ) {
    writeFileSync(this.at("keyring.json"), KEYRING_TEXT);
    this.setInventory(inventory);
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  setInventory(inventory: Inventory): void {
    this.#replace("inventory.yaml", formatInventory(inventory));
  }

  setPolicy(signed: string): void {
    this.#replace("policy.signed", signed);
  }

  /** At once: the enforcer looks at its files every second, and would find one that is half written. */
  #replace(name: string, text: string): void {
    writeFileSync(this.at(`${name}.new`), text);
    renameSync(this.at(`${name}.new`), this.at(name));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  start(args: readonly string[] = []): Promise<void> {
    const files = ["--policy", this.at("policy.signed"), "--inventory", this.at("inventory.yaml")];
    return this.#start([...files, "--keyring", this.at("keyring.json"), ...args]);
  }

  /** Policies and inventory come from a broker, and reports go there. */
  startTied(keyring: string, bootstrap: string): Promise<void> {
    return this.#start(["--keyring", keyring, "--kafka", bootstrap]);
  }

  async #start(args: readonly string[]): Promise<void> {
    const command = [
      ...[...this.within, ...NET_ADMIN_ALONE, process.execPath, MAIN, "enforce", "--host", this.host],
      ...["--state", this.at("state"), "--socket", this.socket, "--poll-seconds", "1", ...args],
    ];
    const [program = "", ...rest] = command;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
      });
    }
    await this.until(() => this.#log.includes("enforcing on") || child.exitCode !== null, "start");
    if (child.exitCode !== null) throw new Error(`the enforcer ended: ${this.#log}`);
  }

  /** Polls until the condition holds. @throws {Error} After three minutes, with what the enforcer said. */
  async until(holds: () => boolean | Promise<boolean>, what: string, limitMs = 180_000): Promise<void> {
    const end = Date.now() + limitMs;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}:\n${this.#log}`);
      await wait(50);
    }
  }

  portolan(...args: string[]) {
    const [program = "", ...rest] = [...this.within, process.execPath, MAIN, ...args, "--socket", this.socket];
    const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8" });
    return { status, stdout, stderr };
  }

  /** What the verbs say, without a process for each. */
  say(request: ControlRequest): Promise<ControlAnswer> {
    return askEnforcer(this.socket, request, 120_000);
  }

  async status(): Promise<HostStatus> {
    return (await this.say({ verb: "status" })).status as HostStatus;
  }

  async phase(scope: string): Promise<string | undefined> {
    return (await this.status()).scopes.find((each) => each.scope === scope)?.phase;
  }

  async untilPhase(scope: string, ...wanted: string[]): Promise<void> {
    // What it said of its transitions is cheaper to look at than its socket.
    const last = () => [...this.#log.matchAll(new RegExp(`${scope}: phase: \\S+ -> (\\S+)`, "g"))].at(-1)?.[1] ?? "";
    await this.until(() => wanted.includes(last()), `${scope} in ${wanted.join(" or ")}`);
  }

  signal(signal: NodeJS.Signals): void {
    // setpriv and ip-netns exec replace themselves, so the child is the enforcer.
    this.#child?.kill(signal);
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill(signal);
    await once(child, "close");
  }

  async remove(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
