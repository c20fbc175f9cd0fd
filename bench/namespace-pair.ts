import { spawnSync } from "node:child_process";

let made = 0;

function run(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot run "ip ${args.join(" ")}": ${stderr}`);
}

/** Two network namespaces of their own, joined by a cable: `left` 10.77.0.1 on `l0`, `right` 10.77.0.2 on `r0`; IPv4 only. */
export interface NamespacePair {
  readonly left: string;
  readonly right: string;
  readonly rightInterface: string;
  readonly rightAddress: string;
  cut(): void;
  join(): void;
  remove(): void;
}

export function makeNamespacePair(): NamespacePair {
  const name = `live${process.pid}-${made++}`;
  const left = `${name}l`;
  const right = `${name}r`;
  for (const namespace of [left, right]) {
    run("netns", "add", namespace);
    run("-n", namespace, "link", "set", "lo", "up");
    run("netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1");
  }
  const pair: NamespacePair = {
    left,
    right,
    rightInterface: "r0",
    rightAddress: "10.77.0.2",
    cut: () => run("-n", right, "link", "delete", "r0"),
    join: () => {
      run("-n", left, "link", "add", "l0", "type", "veth", "peer", "name", "r0", "netns", right);
      for (const [namespace, device, address] of [
        [left, "l0", "10.77.0.1/24"],
        [right, "r0", "10.77.0.2/24"],
      ] as const) {
        run("-n", namespace, "address", "add", address, "dev", device);
        run("-n", namespace, "link", "set", device, "up");
      }
    },
    remove: () => {
      for (const namespace of [left, right]) spawnSync("ip", ["netns", "delete", namespace]);
    },
  };
  pair.join();
  return pair;
}
