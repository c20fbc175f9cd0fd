import { spawnSync } from "node:child_process";
import { run, TrafficAgent } from "./host-network.js";

let made = 0;

/**
 * Hosts on one bridge, each a network namespace:
 *
 *     wire br0 10.89.0.1, fd89::1 ---+--- NAME eth0 10.89.0.N, fd89::N
 *
 * The wire's own namespace is where a broker stands and where packets of all hosts pass.
 */
export class Wire {
  readonly #name = `wr${process.pid}-${made++}`;
  readonly #agents: TrafficAgent[] = [];
  readonly #hosts = new Map<string, number>();
  readonly within = ["ip", "netns", "exec", this.#name];

  constructor(hosts: readonly string[]) {
    run(["ip", "netns", "add", this.#name]);
    run(["ip", "-n", this.#name, "link", "set", "lo", "up"]);
    const lines =
      "link add br0 type bridge\naddr add 10.89.0.1/24 dev br0\naddr add fd89::1/64 dev br0 nodad\nlink set br0 up\n";
    run(["ip", "-n", this.#name, "-batch", "-"], lines);
    hosts.forEach((host, at) => this.#add(host, at + 11));
  }

  #add(host: string, number: number): void {
    const namespace = `${this.#name}-${number}`;
    this.#hosts.set(host, number);
    run(["ip", "netns", "add", namespace]);
    run(["ip", "-n", namespace, "link", "set", "lo", "up"]);
    run([
      "ip",
      "-n",
      this.#name,
      "link",
      "add",
      `v${number}`,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      namespace,
    ]);
    run(["ip", "-n", this.#name, "-batch", "-"], `link set v${number} master br0\nlink set v${number} up\n`);
    const { v4, v6 } = this.addresses(host);
    run(
      ["ip", "-n", namespace, "-batch", "-"],
      `addr add ${v4}/24 dev eth0\naddr add ${v6}/64 dev eth0 nodad\nlink set eth0 up\n`,
    );
  }

  addresses(host: string): { v4: string; v6: string } {
    const number = this.#hosts.get(host);
    return { v4: `10.89.0.${number}`, v6: `fd89::${number}` };
  }

  in(host: string): readonly string[] {
    return ["ip", "netns", "exec", `${this.#name}-${this.#hosts.get(host)}`];
  }

  agent(host: string): TrafficAgent {
    const agent = new TrafficAgent(this.in(host));
    this.#agents.push(agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents) agent.close();
    for (const number of this.#hosts.values()) spawnSync("ip", ["netns", "del", `${this.#name}-${number}`]);
    spawnSync("ip", ["netns", "del", this.#name]);
  }
}
