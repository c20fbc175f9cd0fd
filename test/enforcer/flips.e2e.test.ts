import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { cidr, peer, ports, rule } from "../policy/sample-policy.js";
import { HostNetwork, run } from "./host-network.js";
import { HOST, IN_RULE, scope, wanted } from "./sample-order.js";

/** As many as CI can afford; the full proof sets PORTOLAN_FLIPS=1000. */
const FLIPS = Number(process.env.PORTOLAN_FLIPS ?? 60);
/** Asked of each of the two senders. */
const RATE = Number(process.env.PORTOLAN_FLOOD_RATE ?? 60_000);
const FLOOD = fileURLToPath(new URL("../../../test/enforcer/programs/flood.py", import.meta.url));

/**
 * Stands around the table under test and counts what comes to it and what it lets through, for ports that policy always
 * permits (53) and always misses (54); then drops it, so that nobody answers and each packet is judged as the first.
 */
const OBSERVER = `table inet observer {
  chain before {
    type filter hook input priority filter + 10; policy accept;
    meta nfproto ipv4 udp dport 53 counter comment "came good 4"
    meta nfproto ipv6 udp dport 53 counter comment "came good 6"
    udp dport 54 counter comment "came bad"
  }
  chain after {
    type filter hook input priority filter + 30; policy accept;
    meta nfproto ipv4 udp dport 53 counter drop comment "passed good 4"
    meta nfproto ipv6 udp dport 53 counter drop comment "passed good 6"
    udp dport 54 counter drop comment "passed bad"
  }
}
`;

let network: HostNetwork;
let kernel: EnforcerKernel;

before(async () => {
  network = new HostNetwork();
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
});
after(async () => {
  await kernel?.close();
  network?.close();
});

function observed(): Record<string, number> {
  const listed = JSON.parse(run([...network.inHost, "nft", "-j", "list", "table", "inet", "observer"])) as {
    nftables: { rule?: { comment: string; expr: { counter?: { packets: number } }[] } }[];
  };
  const counts: Record<string, number> = {};
  for (const { rule: each } of listed.nftables) {
    const packets = each?.expr.find(({ counter }) => counter !== undefined)?.counter?.packets;
    if (each !== undefined && packets !== undefined) counts[each.comment] = packets;
  }
  return counts;
}

interface Flood {
  readonly ended: Promise<void>;
  stop(): void;
}

function flood(...targets: readonly string[]): Flood {
  const child = spawn("ip", ["netns", "exec", network.peer, "python3", FLOOD, "3600", String(RATE), ...targets]);
  child.stderr.pipe(process.stderr);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { ended, stop: () => child.kill("SIGKILL") };
}

/** Generation `n`: what is always permitted, among more that changes. */
function generation(n: number) {
  const other = rule(`other-${n % 7}`, cidr(`10.99.${n % 250}.0/24`), peer("lab", { app: "host" }), [
    ports("tcp", 1000 + (n % 100), 2000),
  ]);
  return scope("shop", n, [IN_RULE, other]);
}

test("generations flip under a flood: no permitted packet is lost, no denied one passes", async (t) => {
  await kernel.load(wanted([generation(1)]));
  await kernel.lease("shop", "permanent");
  network.nft(OBSERVER);
  const began = performance.now();
  const floods = [
    flood("10.88.0.1", "53", "10.88.0.1", "54"),
    flood("fd88::1", "53", "10.88.0.1", "53", "fd88::1", "54", "10.88.0.1", "54"),
  ];
  const before = observed();
  try {
    for (let n = 2; n <= FLIPS + 1; n++) assert.equal(await kernel.load(wanted([generation(n)])), "loaded");
  } finally {
    for (const each of floods) each.stop();
  }
  await Promise.all(floods.map(({ ended }) => ended));
  const seconds = (performance.now() - began) / 1000;
  const counts = observed();
  const of = (name: string) => (counts[name] ?? 0) - (before[name] ?? 0);
  const came = of("came good 4") + of("came good 6") + of("came bad");
  const lost = of("came good 4") + of("came good 6") - of("passed good 4") - of("passed good 6");
  t.diagnostic(
    `${FLIPS} flips in ${seconds.toFixed(1)} s under ${Math.round(came / seconds / 1000)} kpps ` +
      `(${of("came good 4")} permitted by IPv4, ${of("came good 6")} by IPv6, ${of("came bad")} denied): ` +
      `${lost} permitted packets lost, ${of("passed bad")} denied packets passed`,
  );
  assert.deepEqual([lost, of("passed bad")], [0, 0]);
  assert.ok(of("came good 4") > 1000 && of("came good 6") > 1000 && of("came bad") > 1000, JSON.stringify(counts));
  assert.equal((await kernel.readBack()).scopes[0]?.generation, FLIPS + 1);
});
