import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HOSTS, hostNamed, type LabHost, OUTSIDE, PARTNER, ROUTER } from "./company.js";
import { must, run, sleep } from "./shell.js";

const PREFIX = "portolan-lab-";
const ETC_NETNS = "/etc/netns";

/**
 * Neighbours are believed for ten minutes, not half of one, and nobody asks for routers: otherwise that chatter is most of
 * the capture.
 */
const HOST_KNOBS: Readonly<Record<string, string>> = {
  "ipv4/neigh/eth0/base_reachable_time_ms": "600000",
  "ipv6/neigh/eth0/base_reachable_time_ms": "600000",
  "ipv6/conf/eth0/router_solicitations": "0",
};

/**
 * The company's cables. Every host is a network namespace with one cable to the bridge in the switch's namespace, so that
 * a capture on the bridge sees each packet once; the router's second cable leads to the outside.
 *
 *     host eth0 --- [switch: br0] --- eth0 router eth1 --- eth0 beyond (outside, partner)
 */
export class LabNetwork {
  readonly #prefix: string;

  constructor(pid: number) {
    this.#prefix = `${PREFIX}${pid}-`;
  }

  /** The kernel's name for a host's namespace; `switch`, `router` and `beyond` are the ones without a workload. */
  netns(name: string): string {
    return `${this.#prefix}${name}`;
  }

  /** Builds everything; second-half hosts are built, but unplugged. */
  async build(): Promise<void> {
    const spaces = ["switch", "router", "beyond", ...HOSTS.map((host) => host.name)];
    const resolver = hostNamed("dns-1");
    for (const space of spaces) {
      const folder = join(ETC_NETNS, this.netns(space));
      mkdirSync(folder, { recursive: true });
      // "ip netns exec" puts this file in place of /etc/resolv.conf.
      writeFileSync(join(folder, "resolv.conf"), `nameserver ${resolver.v4}\noptions timeout:5 attempts:5\n`);
      await must("ip", ["netns", "add", this.netns(space)]);
    }
    await this.#inside("switch", [
      "link add br0 type bridge stp_state 0 mcast_snooping 0",
      "link set br0 up",
      "link set lo up",
    ]);
    for (const host of HOSTS) {
      await this.#plug(host.name, "br0");
      if (host.life !== "second-half") await this.raise(host);
    }
    await this.#plug("router", "br0");
    await this.#addresses("router", "eth0", [`${ROUTER.v4}/${ROUTER.prefix4}`, `${ROUTER.v6}/${ROUTER.prefix6}`]);
    await this.#buildBeyond();
  }

  /** Gives a host its addresses and brings its link up. */
  async raise(host: LabHost): Promise<void> {
    await this.#sysctls(host.name, HOST_KNOBS);
    await this.#inside(host.name, [`link set eth0 address ${hardwareAddress(host)}`]);
    await this.#addresses(host.name, "eth0", [`${host.v4}/${ROUTER.prefix4}`, `${host.v6}/${ROUTER.prefix6}`]);
    await this.#inside(host.name, [`route add default via ${ROUTER.v4}`, `-6 route add default via ${ROUTER.v6}`]);
  }

  /** Takes a host off the switch; its programs should be gone by then. */
  async unplug(host: LabHost): Promise<void> {
    await this.#inside(host.name, ["link set eth0 down", "addr flush dev eth0"]);
  }

  /** Arguments for `ip` that run a program inside a host. */
  exec(name: string, program: string, args: readonly string[]): readonly string[] {
    return ["netns", "exec", this.netns(name), program, ...args];
  }

  /** Ends what still runs inside and removes every namespace of this network; may be called again. */
  async remove(): Promise<void> {
    await removeNamespaces((name) => name.startsWith(this.#prefix));
  }

  async #plug(name: string, bridge: string): Promise<void> {
    const port = `p-${name}`;
    await this.#inside("switch", [
      `link add ${port} type veth peer name eth0 netns ${this.netns(name)}`,
      `link set ${port} gso_max_segs 1 master ${bridge}`,
      `link set ${port} up`,
    ]);
    // One segment a packet, as on a wire: otherwise the capture shows packets larger than the MTU.
    await this.#inside(name, ["link set eth0 gso_max_segs 1", "link set lo up"]);
  }

  async #buildBeyond(): Promise<void> {
    await this.#inside("router", [`link add eth1 type veth peer name eth0 netns ${this.netns("beyond")}`]);
    await this.#inside("beyond", ["link set eth0 gso_max_segs 1", "link set lo up"]);
    await this.#addresses("router", "eth1", [
      "198.51.100.1/24",
      "203.0.113.1/24",
      "2001:db8:51::1/64",
      "2001:db8:113::1/64",
    ]);
    const own = [...OUTSIDE.addresses, ...PARTNER.addresses];
    await this.#addresses(
      "beyond",
      "eth0",
      own.map((address) => `${address}/${address.includes(":") ? 64 : 24}`),
    );
    await this.#inside("beyond", ["route add default via 198.51.100.1", "-6 route add default via 2001:db8:51::1"]);
    await this.#sysctls("router", { "ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1" });
  }

  async #addresses(name: string, link: string, addresses: readonly string[]): Promise<void> {
    // Duplicate address detection would keep the IPv6 addresses unusable for a second.
    const lines = addresses.map((text) => `addr add ${text} dev ${link}${text.includes(":") ? " nodad" : ""}`);
    await this.#inside(name, [...lines, `link set ${link} up`]);
  }

  async #inside(name: string, lines: readonly string[]): Promise<void> {
    const plain = lines.filter((line) => !line.startsWith("-6 "));
    const six = lines.filter((line) => line.startsWith("-6 ")).map((line) => line.slice(3));
    if (plain.length > 0) await must("ip", ["-n", this.netns(name), "-batch", "-"], { input: `${plain.join("\n")}\n` });
    if (six.length > 0)
      await must("ip", ["-6", "-n", this.netns(name), "-batch", "-"], { input: `${six.join("\n")}\n` });
  }

  async #sysctls(name: string, knobs: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(knobs).map(([knob, value]) => `echo ${value} > /proc/sys/net/${knob}`);
    await must("ip", this.exec(name, "sh", ["-e", "-c", lines.join("\n")]));
  }
}

/** Made from the IPv4 address, so that who takes an address over is known to everybody's neighbour table at once. */
function hardwareAddress(host: LabHost): string {
  return `02:00:${host.v4
    .split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join(":")}`;
}

/** Removes the namespaces of labs whose process is gone, with what runs in them. */
export async function removeLeftoverNetworks(): Promise<void> {
  await removeNamespaces((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function removeNamespaces(isOurs: (name: string) => boolean): Promise<void> {
  const listed = (await run("ip", ["netns", "list"])).stdout.split("\n");
  const names = listed.map((line) => line.split(" ")[0] ?? "").filter(isOurs);
  await endProcesses(names, "SIGINT");
  for (const name of names) await run("ip", ["netns", "delete", name]);
  let configured: string[] = [];
  try {
    configured = readdirSync(ETC_NETNS).filter(isOurs);
  } catch {
    // nobody ever configured a namespace here
  }
  for (const name of configured) rmSync(join(ETC_NETNS, name), { recursive: true, force: true });
}

/** Asks, waits up to 10 seconds, then insists. PostgreSQL gives its shared memory back when asked by SIGINT. */
async function endProcesses(names: readonly string[], first: "SIGINT"): Promise<void> {
  for (const [signal, patience] of [
    [first, 100],
    ["SIGKILL", 600],
  ] as const) {
    let pids = await processesIn(names);
    for (const pid of pids) signalQuietly(pid, signal);
    for (let i = 0; i < patience && pids.length > 0; i++) {
      await sleep(100);
      pids = await processesIn(names);
    }
  }
}

async function processesIn(names: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of names) {
    const { stdout } = await run("ip", ["netns", "pids", name]);
    found.push(
      ...stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(Number),
    );
  }
  return found;
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended in between
  }
}
