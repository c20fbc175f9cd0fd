import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const AGENT = fileURLToPath(new URL("./programs/traffic-agent.js", import.meta.url));

let made = 0;

export function run(command: readonly string[], input = ""): string {
  const [program, ...args] = command as [string, ...string[]];
  const result = spawnSync(program, args, { input, timeout: 300_000, maxBuffer: 1 << 28, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
  return result.stdout;
}

/** For what must be answered: neighbours are asked again after a second, and a busy machine may stand still for many. */
export const PATIENT_MS = 60_000;

/** Speaks inside one namespace, see programs/traffic-agent.ts. */
export class TrafficAgent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #next = 1;

  constructor(wrap: readonly string[]) {
    const [program = process.execPath, ...args] = [...wrap, process.execPath, AGENT];
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const { id, answer, error } = JSON.parse(line) as { id: number; answer?: unknown; error?: string };
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(error));
    });
  }

  #ask(command: Record<string, unknown>): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  listen(protocol: "tcp" | "udp", port: number, address = "::"): Promise<unknown> {
    return this.#ask({ do: "listen", protocol, address, port });
  }

  /** "ok", an error code, or "timeout". */
  connect(address: string, port: number, timeoutMs = 700, from?: string): Promise<unknown> {
    return this.#ask({ do: "connect", address, port, timeoutMs, hold: false, from });
  }

  /** A connection that stays open: its number, or why there is none. */
  hold(address: string, port: number, timeoutMs = PATIENT_MS): Promise<unknown> {
    return this.#ask({ do: "connect", address, port, timeoutMs, hold: true });
  }

  /** Whether a held connection still answers. */
  echo(handle: unknown, timeoutMs = PATIENT_MS): Promise<unknown> {
    return this.#ask({ do: "echo", handle, timeoutMs });
  }

  /** How many connections are accepted and open. */
  accepted(): Promise<unknown> {
    return this.#ask({ do: "accepted" });
  }

  /** Writes into every connection that was accepted, and tells how many those are. */
  push(): Promise<unknown> {
    return this.#ask({ do: "push", timeoutMs: 0 });
  }

  /** One UDP question: "ok" when it is answered. */
  question(address: string, port: number, timeoutMs = 700): Promise<unknown> {
    return this.#ask({ do: "ask", address, port, timeoutMs });
  }

  /** Datagrams from so many source ports, so many from each; tells how many it sent. */
  send(address: string, port: number, localPorts: number, each = 1): Promise<unknown> {
    return this.#ask({ do: "send", address, port, localPorts, each });
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * A host that is protected, and its neighbours on the same wire, each a network namespace:
 *
 *     host eth0 10.88.0.1, fd88::1   ---+--- peer  eth0 10.88.0.2, fd88::2
 *                                       (one veth; the peer has further addresses of its own)
 */
export class HostNetwork {
  readonly #name = `en${process.pid}-${made++}`;
  readonly host = `${this.#name}h`;
  readonly peer = `${this.#name}p`;
  readonly inHost = ["ip", "netns", "exec", this.host];
  readonly inPeer = ["ip", "netns", "exec", this.peer];
  readonly #agents: TrafficAgent[] = [];
  readonly #others: string[] = [];

  constructor(peerAddresses: readonly string[] = []) {
    for (const name of [this.host, this.peer]) {
      run(["ip", "netns", "add", name]);
      run(["ip", "-n", name, "link", "set", "lo", "up"]);
    }
    run(["ip", "-n", this.host, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", this.peer]);
    const addressesOf = {
      [this.host]: ["10.88.0.1", "fd88::1"],
      [this.peer]: ["10.88.0.2", "fd88::2", ...peerAddresses],
    };
    for (const [name, addresses] of Object.entries(addressesOf)) {
      // Who does not ask for a further address as its own never speaks from it.
      const lines = addresses.map((text, at) => {
        const further = at < 2 ? "" : " preferred_lft 0";
        return `addr add ${text}/${text.includes(":") ? "64 nodad" : "16"} dev eth0${further}`;
      });
      run(["ip", "-n", name, "-batch", "-"], `${lines.join("\n")}\nlink set eth0 up\n`);
    }
  }

  nft(text: string): string {
    return run([...this.inHost, "nft", "-f", "-"], text);
  }

  /** Everything that is in the host's kernel but our own tables, as nft lists it. */
  foreign(): string {
    const listed = JSON.parse(run([...this.inHost, "nft", "-j", "list", "ruleset"])) as {
      nftables: Record<string, { name?: string; table?: string }>[];
    };
    const isForeign = (object: Record<string, { name?: string; table?: string }>) =>
      Object.values(object).every((body) => !(body.table ?? body.name ?? "").startsWith("portolan"));
    return JSON.stringify(listed.nftables.filter(isForeign));
  }

  /**
   * Lets the host get what the peer sends to these UDP ports so many times more: the peer's kernel hands each datagram to
   * further cables between the two as well, which costs a tenth of sending it again.
   */
  multiply(times: number, ports: string): void {
    const mac = run([...this.inHost, "cat", "/sys/class/net/eth0/address"]).trim();
    const cables = Array.from({ length: times }, (_, i) => `eth${i + 1}`);
    for (const name of cables) {
      const ends = ["address", mac, "type", "veth", "peer", "name", name, "netns", this.peer];
      run(["ip", "-n", this.host, "link", "add", name, ...ends]);
      for (const end of [this.host, this.peer]) run(["ip", "-n", end, "link", "set", name, "up"]);
      run([...this.inHost, "sysctl", "-qw", `net.ipv4.conf.${name}.rp_filter=0`, "net.ipv4.conf.all.rp_filter=0"]);
    }
    const rules = cables.map((name) => `    udp dport ${ports} dup to "${name}"`).join("\n");
    const chain = `  chain out {\n    type filter hook egress device "eth0" priority 0; policy accept;\n${rules}\n  }`;
    run([...this.inPeer, "nft", "-f", "-"], `table netdev many {\n${chain}\n}\n`);
  }

  agent(wrap: readonly string[]): TrafficAgent {
    const agent = new TrafficAgent(wrap);
    this.#agents.push(agent);
    return agent;
  }

  /** Another namespace, removed with this network. */
  another(suffix: string): string {
    const name = `${this.#name}${suffix}`;
    run(["ip", "netns", "add", name]);
    run(["ip", "-n", name, "link", "set", "lo", "up"]);
    this.#others.push(name);
    return name;
  }

  close(): void {
    for (const agent of this.#agents) agent.close();
    for (const name of [this.host, this.peer, ...this.#others]) spawnSync("ip", ["netns", "del", name]);
  }
}
