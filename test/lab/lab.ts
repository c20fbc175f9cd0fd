import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabCapture } from "./capture.js";
import { hostNamed } from "./company.js";
import type { ClientCall } from "./exercise.js";
import { isAlive, LabNetwork, removeLeftoverNetworks } from "./network.js";
import { requireLab } from "./requirements.js";
import { LabServices } from "./services.js";
import { type Ran, type RunOptions, run } from "./shell.js";

const FOLDER_PREFIX = "portolan-lab-";

/** For a client program: longer than it waits by itself, on a machine that stands still for many seconds at a time. */
export const PATIENT_MS = 90_000;

/** The company, standing: its cables, its servers, a folder with their data. */
export class Lab {
  readonly network: LabNetwork;
  readonly folder: string;
  readonly services: LabServices;
  #capture: LabCapture | undefined;

  private constructor() {
    this.network = new LabNetwork(process.pid);
    this.folder = mkdtempSync(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
    this.services = new LabServices(this.network, this.folder);
  }

  /**
   * Builds the company and starts its servers; what an earlier lab left behind is removed first. When a step fails,
   * everything is torn down again. With `capture` a tcpdump runs on the bridge from before the first program.
   * @throws {LabEnvironmentError} If this machine cannot hold a lab.
   */
  static async build({ capture, onStep = () => {} }: LabOptions): Promise<Lab> {
    requireLab();
    await removeLeftovers();
    const lab = new Lab();
    try {
      onStep("building the network");
      await lab.network.build();
      if (capture) await lab.#startCapture();
      onStep("starting the servers");
      await lab.services.start();
      return lab;
    } catch (error) {
      await lab.remove();
      throw error;
    }
  }

  get captureFile(): string {
    return join(this.folder, "lab.pcap");
  }

  /** Runs a client program inside a host, or in "beyond" for the outside. */
  call(host: string, call: ClientCall, options: RunOptions = {}): Promise<Ran> {
    return run("ip", this.network.exec(host, call.program, call.args), { timeoutMs: PATIENT_MS, ...options });
  }

  /** worker-a leaves; answers the instant, in milliseconds, from which its addresses are worker-b's. */
  async swapWorkers(): Promise<number> {
    const [before, after] = [hostNamed("worker-a"), hostNamed("worker-b")];
    await this.services.stop(before.name);
    await this.network.unplug(before);
    // dnsmasq's log has whole seconds: the instant lies alone in one of them.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const atMs = Math.floor(Date.now() / 1000) * 1000;
    await this.network.raise(after);
    await this.services.startSecondHalf(after);
    return atMs;
  }

  /** Whether the primary says that the replica follows it; asked over the primary's loopback. */
  async isReplicaStreaming(): Promise<boolean> {
    const sql = "select count(*) from pg_stat_replication where state = 'streaming'";
    const args = ["-X", "-A", "-t", "-h", "127.0.0.1", "-U", "postgres", "-c", sql, "postgres"];
    const { stdout } = await this.call("db-1", { program: "psql", args });
    return stdout.trim() === "1";
  }

  /** Ends the capture; answers the packets that the kernel dropped. */
  async stopCapture(): Promise<number> {
    const dropped = (await this.#capture?.stop()) ?? 0;
    this.#capture = undefined;
    return dropped;
  }

  /** Takes everything down; may be called again, and after a failure. */
  async remove(): Promise<void> {
    await this.stopCapture();
    await this.services.stop();
    await this.network.remove();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20 });
  }

  async #startCapture(): Promise<void> {
    const args = LabCapture.arguments(this.captureFile);
    this.#capture = new LabCapture(this.network.exec("switch", "tcpdump", args));
    await this.#capture.ready();
  }
}

export interface LabOptions {
  readonly capture: boolean;
  readonly onStep?: (step: string) => void;
}

/** Removes what labs whose process is gone left behind, after a SIGKILL or a power cut. */
export async function removeLeftovers(): Promise<void> {
  await removeLeftoverNetworks();
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    // What a lab had started to make its keys may still write there.
    const isLeft = pid !== undefined && !isAlive(Number(pid));
    if (isLeft) rmSync(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 20 });
  }
}
