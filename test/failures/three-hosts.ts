import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export const HOSTS = ["a", "b", "c"] as const;
export type Host = (typeof HOSTS)[number];

export const INVENTORY = `version: 1
workloads:
${HOSTS.map((host, i) => `  - { namespace: lab, name: host-${host}, labels: { app: ${host} }, addresses: [10.91.0.${i + 1}] }\n`).join("")}`;

function must(...command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command[0] as string, command.slice(1), { encoding: "utf8" });
  assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
  return stdout;
}

/**
 * Three hosts that talk over one cable each, and reach the broker over another, so that what they send to it is not in what
 * they see.
 *
 *     a, b, c:  eth0 10.91.0.1-3 --- [br0]      what is watched
 *               mgmt 10.92.0.1-3 --- [br1]      10.92.0.254: the broker and the analyzer
 */
export class ThreeHosts {
  readonly #prefix = `three${process.pid}`;
  readonly managementAddress = "10.92.0.254";

  constructor() {
    for (const name of ["switch", ...HOSTS]) {
      must("ip", "netns", "add", this.#netns(name));
      must(...this.within(name), "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1");
      this.#ip(name, "link set lo up");
    }
    for (const bridge of ["br0", "br1"]) {
      this.#ip("switch", `link add ${bridge} type bridge stp_state 0 mcast_snooping 0`);
      this.#ip("switch", `link set ${bridge} up`);
    }
    this.#ip("switch", `address add ${this.managementAddress}/24 dev br1`);
    for (const [i, host] of HOSTS.entries()) {
      for (const [device, bridge, network] of [
        ["eth0", "br0", 91],
        ["mgmt", "br1", 92],
      ] as const) {
        const port = `${host}-${device}`;
        this.#ip("switch", `link add ${port} type veth peer name ${device} netns ${this.#netns(host)}`);
        this.#ip("switch", `link set ${port} master ${bridge} up`);
        this.#ip(host, `address add 10.${network}.0.${i + 1}/24 dev ${device}`);
        this.#ip(host, `link set ${device} up`);
      }
    }
  }

  #netns(name: string): string {
    return `${this.#prefix}${name}`;
  }

  #ip(name: string, words: string): void {
    must("ip", "-n", this.#netns(name), ...words.split(" "));
  }

  /** Words that run a command on a host, or on the switch. */
  within(name: string): string[] {
    return ["ip", "netns", "exec", this.#netns(name)];
  }

  /** Runs a script in Node on a host; resolves with the way to end it when it has said that it is ready. */
  async serve(host: Host, script: string): Promise<() => void> {
    const words = [...this.within(host).slice(1), process.execPath, "-e", script];
    const child = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    return () => child.kill("SIGKILL");
  }

  run(host: Host, ...command: readonly string[]): string {
    return must(...this.within(host), ...command);
  }

  remove(): void {
    for (const name of ["switch", ...HOSTS]) spawnSync("ip", ["netns", "delete", this.#netns(name)]);
  }
}
