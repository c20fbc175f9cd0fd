import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type CraftedPacket, craftPacket } from "./craft-packet.js";

const SENDER = fileURLToPath(new URL("../../../test/policy/packet-sender.py", import.meta.url));

/**
 * Stands around the table under test: notes by its number each packet that comes to it, and each that it lets through,
 * and then drops it, so that no packet becomes a connection and each one is judged as the first.
 */
const OBSERVER = `
add table inet observer
delete table inet observer
table inet observer {
${["in", "out"]
  .flatMap((way) =>
    ["came", "passed"].flatMap((what) => [
      `  set ${way}_${what}4 { typeof ip id; flags dynamic; size 65535; }`,
      `  set ${way}_${what}6 { typeof ip6 flowlabel; flags dynamic; size 65535; }`,
    ]),
  )
  .join("\n")}
${(["in", "out"] as const)
  .map(
    (way) => `  chain ${way}_before {
    type filter hook ${way === "in" ? "input" : "output"} priority filter + 10; policy accept;
    update @${way}_came4 { ip id }
    update @${way}_came6 { ip6 flowlabel }
  }
  chain ${way}_after {
    type filter hook ${way === "in" ? "input" : "output"} priority filter + 30; policy accept;
    update @${way}_passed4 { ip id }
    update @${way}_passed6 { ip6 flowlabel }
    drop
  }`,
  )
  .join("\n")}
}
`;

function run(command: readonly string[], input: string | Buffer = ""): string {
  const [program, ...args] = command as [string, ...string[]];
  const result = spawnSync(program, args, { input, timeout: 120_000, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
  return String(result.stdout);
}

/** A host in a network namespace of its own, and a neighbour that can send it anything. */
export class ObservedHost {
  readonly host = `pt${process.pid}h`;
  readonly neighbour = `pt${process.pid}n`;
  readonly #frame: Buffer;

  constructor() {
    run(["ip", "netns", "add", this.host]);
    run(["ip", "netns", "add", this.neighbour]);
    this.inHost(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", this.neighbour]);
    for (const name of [this.host, this.neighbour]) {
      const inside = ["ip", "netns", "exec", name];
      run([...inside, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0", "net.ipv4.conf.all.rp_filter=0"]);
      run([...inside, "sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=0", "net.ipv6.conf.all.accept_dad=0"]);
      run([...inside, "ip", "link", "set", "lo", "up"]);
      run([...inside, "ip", "link", "set", "eth0", "up"]);
    }
    const mac = (name: string) =>
      Buffer.from(
        run(["ip", "netns", "exec", name, "cat", "/sys/class/net/eth0/address"]).trim().replaceAll(":", ""),
        "hex",
      );
    this.#frame = Buffer.concat([mac(this.host), mac(this.neighbour)]);
  }

  inHost(command: readonly string[], input: string | Buffer = ""): string {
    return run(["ip", "netns", "exec", this.host, ...command], input);
  }

  /** Gives the host these addresses, a way to everywhere, and this ruleset beside the observer. */
  load(addresses: readonly string[], ruleset: string): void {
    const lines = ["addr flush dev eth0"];
    for (const address of addresses) {
      lines.push(`addr add ${address}/${address.includes(":") ? "128 nodad" : "32"} dev eth0`);
    }
    lines.push("route replace default dev eth0", "route replace ::/0 dev eth0");
    this.inHost(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
    this.inHost(["nft", "-f", "-"], `add table inet portolan\ndelete table inet portolan\n${ruleset}${OBSERVER}`);
  }

  /** Sends the packets to the host, or from it, and answers which of them its ruleset let through, by id. */
  send(direction: "in" | "out", packets: readonly CraftedPacket[]): Set<CraftedPacket> {
    const chunks = packets.map((packet) => {
      const bytes = craftPacket(packet);
      const isIpv6 = packet.source.includes(":");
      const head = Buffer.alloc(3);
      const body =
        direction === "out" ? bytes : Buffer.concat([this.#frame, Buffer.from(isIpv6 ? "86dd" : "0800", "hex"), bytes]);
      head[0] = direction === "in" ? 0 : isIpv6 ? 6 : 4;
      head.writeUInt16BE(body.length, 1);
      return Buffer.concat([head, body]);
    });
    const sender = direction === "in" ? this.neighbour : this.host;
    run(["ip", "netns", "exec", sender, "python3", SENDER, "eth0"], Buffer.concat(chunks));
    const idOf = (packet: CraftedPacket) => `${packet.source.includes(":") ? 6 : 4} ${packet.id}`;
    // Frames are handed over in the background: wait for the last of them, not for a time.
    let missing: CraftedPacket[] = [];
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      const came = this.#ids(`${direction}_came`);
      missing = packets.filter((packet) => !came.has(idOf(packet)));
      if (missing.length === 0) break;
    }
    if (missing.length > 0) {
      throw new Error(
        `${missing.length} of ${packets.length} packets never came, first: ${JSON.stringify(missing[0])}`,
      );
    }
    const passed = this.#ids(`${direction}_passed`);
    return new Set(packets.filter((packet) => passed.has(idOf(packet))));
  }

  #ids(name: string): Set<string> {
    const ids = new Set<string>();
    for (const family of [4, 6]) {
      const listed = JSON.parse(this.inHost(["nft", "-j", "list", "set", "inet", "observer", `${name}${family}`])) as {
        nftables: { set?: { elem?: (number | { elem: { val: number } })[] } }[];
      };
      for (const { set } of listed.nftables) {
        for (const each of set?.elem ?? []) ids.add(`${family} ${typeof each === "number" ? each : each.elem.val}`);
      }
    }
    return ids;
  }

  close(): void {
    for (const name of [this.host, this.neighbour]) spawnSync("ip", ["netns", "del", name]);
  }
}
