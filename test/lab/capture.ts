import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { sleep } from "./shell.js";

/** Bytes kept of a packet: enough for the names in DNS answers, TLS hellos and HTTP requests. */
export const SNAP_LENGTH = 320;

/** A running tcpdump on the company's bridge. */
export class LabCapture {
  readonly #child: ChildProcess;
  #complaints = "";

  constructor(ipArgs: readonly string[]) {
    this.#child = spawn("ip", [...ipArgs], { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
  }

  /** tcpdump's arguments for a capture of everything on the bridge. */
  static arguments(file: string): readonly string[] {
    return ["-i", "br0", "-n", "-U", "-s", String(SNAP_LENGTH), "-Z", "root", "-w", file];
  }

  /** Resolves when tcpdump listens. */
  async ready(): Promise<void> {
    for (const end = Date.now() + 120_000; !this.#complaints.includes("listening on") && Date.now() < end; ) {
      if (this.#child.exitCode !== null) break;
      await sleep(50);
    }
    if (!this.#complaints.includes("listening on")) {
      throw new Error(`Cannot capture on the lab's bridge: tcpdump said "${this.#complaints.trim()}"`);
    }
  }

  /** Ends the capture; answers how many packets the kernel dropped. */
  async stop(): Promise<number> {
    await sleep(300);
    const closed = new Promise<void>((resolve) => this.#child.once("close", () => resolve()));
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGINT");
      await closed;
    }
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#complaints)?.[1] ?? 0);
  }
}

/**
 * How many IP packets a classic little-endian Ethernet capture holds, and how many IPv4 packets are in it twice: the same
 * bytes, identification included, within a millisecond. What is sent again later gets a new identification.
 */
export function countPackets(file: string): { readonly packets: number; readonly twice: number } {
  const bytes = readFileSync(file);
  const seen = new Map<string, number>();
  let packets = 0;
  let twice = 0;
  for (let at = 24; at + 16 <= bytes.length; ) {
    const timeUs = bytes.readUInt32LE(at) * 1e6 + bytes.readUInt32LE(at + 4);
    const length = bytes.readUInt32LE(at + 8);
    const frame = bytes.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    const etherType = frame.readUInt16BE(12);
    if (etherType !== 0x0800 && etherType !== 0x86dd) continue;
    packets++;
    if (etherType !== 0x0800 || frame.readUInt16BE(18) === 0) continue;
    const text = frame.toString("latin1");
    if (timeUs - (seen.get(text) ?? -1e9) < 1000) twice++;
    seen.set(text, timeUs);
  }
  return { packets, twice };
}
