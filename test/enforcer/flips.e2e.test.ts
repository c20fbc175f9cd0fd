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
const FLIPS = Number(process.env.PORTOLAN_FLIPS ?? 30);
/** Datagrams a second of each of the two senders, and how many more the host gets for each: more than 50,000 together. */
const RATE = Number(process.env.PORTOLAN_FLOOD_RATE ?? 6_000);
const MULTIPLY = 5;
/** So that the flood is there on a busy machine too; it is bounded. */
const BEFORE_OTHERS = ["chrt", "-r", "1"];
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
  network.multiply(MULTIPLY, "53-54");
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
  const command = [...BEFORE_OTHERS, "python3", FLOOD, "3600", String(RATE), ...targets];
  const child = spawn("ip", ["netns", "exec", network.peer, ...command]);
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

interface Flooded {
  readonly text: string; // how much came
  readonly lost: number;
  readonly leaked: number;
}

/** What happens to permitted and to denied packets while `work` is done. */
async function underFlood(work: () => Promise<void>): Promise<Flooded> {
  network.nft(`add table inet observer\ndelete table inet observer\n${OBSERVER}`);
  const began = performance.now();
  const floods = [
    flood("10.88.0.1", "53", "10.88.0.1", "54"),
    flood("fd88::1", "53", "10.88.0.1", "53", "fd88::1", "54", "10.88.0.1", "54"),
  ];
  const came = ["came good 4", "came good 6", "came bad"];
  const untilCame = async (least: number) => {
    for (const end = Date.now() + 120_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const counts = observed();
      if (came.every((name) => (counts[name] ?? 0) > least)) return;
      assert.ok(Date.now() < end, JSON.stringify(counts));
    }
  };
  try {
    await untilCame(0);
    await work();
    await untilCame(1000);
  } finally {
    for (const each of floods) each.stop();
  }
  await Promise.all(floods.map(({ ended }) => ended));
  const seconds = (performance.now() - began) / 1000;
  // What is still on its way is counted before, and by and by after: until nothing moves any more.
  let counts = observed();
  for (let earlier = ""; earlier !== JSON.stringify(counts); counts = observed()) {
    earlier = JSON.stringify(counts);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const of = (name: string) => counts[name] ?? 0;
  const all = came.reduce((sum, name) => sum + of(name), 0);
  return {
    text:
      `${seconds.toFixed(1)} s under ${Math.round(all / seconds / 1000)} kpps ` +
      `(${of("came good 4")} permitted by IPv4, ${of("came good 6")} by IPv6, ${of("came bad")} denied)`,
    lost: of("came good 4") + of("came good 6") - of("passed good 4") - of("passed good 6"),
    leaked: of("passed bad"),
  };
}

test("generations flip under a flood: no permitted packet is lost, no denied one passes", async (t) => {
  await kernel.load(wanted([generation(1)]));
  await kernel.lease("shop", "permanent");
  const { text, lost, leaked } = await underFlood(async () => {
    for (let n = 2; n <= FLIPS + 1; n++) assert.equal(await kernel.load(wanted([generation(n)])), "loaded");
  });
  t.diagnostic(`${FLIPS} flips in ${text}: ${lost} permitted packets lost, ${leaked} denied packets passed`);
  assert.deepEqual([lost, leaked], [0, 0]);
  assert.equal((await kernel.readBack()).scopes[0]?.generation, FLIPS + 1);
});

test("leases are renewed under a flood: no denied packet slips through between two of them", async (t) => {
  await kernel.load(wanted([generation(1)]));
  await kernel.lease("shop", 600_000);
  const { text, lost, leaked } = await underFlood(async () => {
    for (let n = 0; n < FLIPS; n++) await kernel.lease("shop", n % 3 === 0 ? "permanent" : 600_000);
  });
  t.diagnostic(`${FLIPS} renewals in ${text}: ${lost} permitted packets lost, ${leaked} denied packets passed`);
  assert.deepEqual([lost, leaked], [0, 0]);
});

test("what no generation changes is replaced under a flood, and a policy set comes and goes, without a loss", async (t) => {
  await kernel.load(wanted([generation(1)]));
  await kernel.lease("shop", "permanent");
  const other = scope("other", 1, []);
  const rounds = Math.max(2, FLIPS >> 2);
  const { text, lost, leaked } = await underFlood(async () => {
    for (let n = 0; n < rounds; n++) {
      await kernel.load(wanted(n % 2 === 0 ? [generation(1), other] : [generation(1)]));
    }
  });
  t.diagnostic(`${rounds} changes of structure in ${text}: ${lost} permitted packets lost, ${leaked} denied passed`);
  assert.deepEqual([lost, leaked], [0, 0]);
});
