import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test, { after, before, beforeEach } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { EnforcerKernel, ScopeCounts } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { parseProtocol } from "../../model/protocol.js";
import { cidr, peer, ports, rule } from "../policy/sample-policy.js";
import { HostNetwork, run } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

const program = (name: string) => fileURLToPath(new URL(`../../../test/enforcer/programs/${name}`, import.meta.url));

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

let generation = 0;
beforeEach(async () => {
  await kernel.remove();
  await kernel.load(wanted([scope("shop", ++generation)]));
  await kernel.counts();
});

interface Attempts {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly attempts: number;
}

/** Makes them, and tells what the sender says it made: the truth that does not come from the kernel under test. */
function make(wishes: readonly Attempts[]): Attempts[] {
  const lines = wishes.map(({ protocol, address, port, attempts }) => `${protocol} ${address} ${port} ${attempts}`);
  return JSON.parse(run([...network.inPeer, "python3", program("attempts.py")], `${lines.join("\n")}\n`)) as Attempts[];
}

const keyOf = (protocol: number, address: string, port: number) => `${protocol} ${address} ${port}`;

function byEdge(made: readonly Attempts[]): Map<string, number> {
  return new Map(
    made.map(({ protocol, address, port, attempts }) => [keyOf(parseProtocol(protocol), address, port), attempts]),
  );
}

function counted({ edges }: ScopeCounts): Map<string, number> {
  return new Map(edges.map(({ protocol, server, port, attempts }) => [keyOf(protocol, server, port), attempts]));
}

async function count(): Promise<ScopeCounts> {
  const [counts] = await kernel.counts();
  assert.ok(counts !== undefined);
  return counts;
}

/** Waits until the kernel has counted so many packets as repeated: a flood that is there. */
async function untilRepeated(least: number): Promise<void> {
  const listing = [...network.inHost, "nft", "-j", "list", "counters", "table", "inet", "portolan"];
  for (const end = Date.now() + 120_000; ; await wait(100)) {
    const { nftables } = JSON.parse(run(listing)) as { nftables: { counter?: { name: string; packets: number } }[] };
    if (nftables.some(({ counter }) => /_repeated_/.test(counter?.name ?? "") && counter!.packets > least)) return;
    assert.ok(Date.now() < end, JSON.stringify(nftables));
  }
}

test("10,000 attempts over 500 edges are counted exactly while the log is flooded", async (t) => {
  const flood = ["python3", program("flood.py"), "3600", "50000", "10.88.0.1", "9"];
  const flooding = spawn("ip", ["netns", "exec", network.peer, ...flood]);
  await untilRepeated(1000);
  const wishes = Array.from({ length: 500 }, (_, i) => ({
    protocol: i % 2 === 0 ? "udp" : "tcp",
    address: i % 4 < 2 ? "10.88.0.1" : "fd88::1",
    port: 10_000 + i,
    attempts: 20,
  }));
  const made = make(wishes);
  flooding.kill("SIGKILL");
  await new Promise((resolve) => flooding.once("close", resolve));
  const counts = await count();
  const found = counted(counts);
  assert.equal(found.get(keyOf(17, "10.88.0.1", 9)), 1, "a flood from one port is one attempt");
  found.delete(keyOf(17, "10.88.0.1", 9));
  const total = [...found.values()].reduce((sum, attempts) => sum + attempts, 0);
  t.diagnostic(
    `${total} attempts over ${found.size} edges counted, ${counts.unrecorded} unrecorded, ` +
      `beside ${counts.counters.repeated} packets of a flood`,
  );
  assert.deepEqual([...found].sort(), [...byEdge(made)].sort());
  assert.deepEqual([total, found.size, counts.unrecorded], [10_000, 500, 0]);
  assert.ok(counts.counters.repeated > 1000);
});

test("what no set has room for is told as unrecorded, to the attempt", async (t) => {
  const wishes = Array.from({ length: 20_000 }, (_, i) => ({
    protocol: "udp",
    address: "10.88.0.1",
    port: 1000 + i,
    attempts: 1,
  }));
  const made = make(wishes);
  const counts = await count();
  const { missed, repeated, recorded } = counts.counters;
  t.diagnostic(`${made.length} edges: ${counts.edges.length} recorded, ${counts.unrecorded} unrecorded`);
  assert.equal(missed - repeated, made.length);
  assert.equal(recorded + counts.unrecorded, made.length);
  assert.equal(counts.edges.length, 16_384);
  assert.deepEqual([(await count()).edges.length, (await count()).unrecorded], [0, 0]);
});

test("a connection that is tried again and again is one attempt, in audit and in deny", async () => {
  await kernel.lease("shop", 600_000);
  const peerAgent = network.agent(network.inPeer);
  // A SYN is sent again after one second, and after two more.
  assert.equal(await peerAgent.connect("10.88.0.1", 81, 10_000), "timeout");
  const { counters, edges, unrecorded } = await count();
  assert.deepEqual(
    edges.map(({ port, attempts, verdict }) => [port, attempts, verdict]),
    [[81, 1, "denied"]],
  );
  assert.ok(counters.missed >= 3, `${counters.missed} SYNs`);
  assert.deepEqual([counters.repeated, counters.denied, unrecorded], [counters.missed - 1, counters.missed, 0]);
});

test("ICMP and protocols without ports are counted by what they are", async () => {
  run([...network.inPeer, "ping", "-c", "3", "-i", "0.2", "-W", "1", "10.88.0.1"]);
  run([...network.inPeer, "ping", "-c", "2", "-i", "0.2", "-W", "1", "fd88::1"]);
  make([
    { protocol: "47", address: "10.88.0.1", port: 0, attempts: 4 },
    { protocol: "253", address: "fd88::1", port: 0, attempts: 2 },
  ]);
  const { edges, counters, unrecorded } = await count();
  // The first echo is answered, which makes the rest of each ping an established exchange.
  assert.deepEqual(edges.map(({ protocol, server, port, attempts }) => [protocol, server, port, attempts]).sort(), [
    [1, "10.88.0.1", 8 << 8, 1],
    [253, "fd88::1", 0, 2],
    [47, "10.88.0.1", 0, 4],
    [58, "fd88::1", 128 << 8, 1],
  ]);
  assert.deepEqual([counters.missed, unrecorded], [8, 0]);
});

test("hits of each rule are told, those of a generation that was reaped too", async () => {
  const rules = [
    rule("used", peer("lab", { app: "good" }), peer("lab", { app: "host" }), [ports("udp", 5000)]),
    rule("twin", cidr("10.88.0.0/16"), peer("lab", { app: "host" }), [ports("udp", 5000)]),
    rule("unused", peer("lab", { app: "good" }), peer("lab", { app: "host" }), [ports("udp", 6000)]),
  ];
  await kernel.load(wanted([scope("shop", ++generation, rules)]));
  await kernel.counts();
  make([{ protocol: "udp", address: "10.88.0.1", port: 5000, attempts: 7 }]);
  await kernel.load(wanted([scope("shop", ++generation, rules)]));
  make([{ protocol: "udp", address: "10.88.0.1", port: 5000, attempts: 5 }]);
  // Of 12 packets, those from a port that was answered before belong to a connection already known.
  const { permits, edges } = await count();
  assert.deepEqual(
    permits.map(({ rule: id }) => id),
    ["twin", "used"],
  );
  assert.ok(
    permits.every(({ packets }) => packets === 12),
    JSON.stringify(permits),
  );
  assert.deepEqual(edges, []);
});

test("a process that takes over with the baseline neither loses nor repeats a count", async () => {
  make([{ protocol: "udp", address: "10.88.0.1", port: 7001, attempts: 3 }]);
  assert.equal((await count()).edges[0]?.attempts, 3);
  const baseline = kernel.baseline();
  await kernel.close();
  make([{ protocol: "udp", address: "10.88.0.1", port: 7002, attempts: 4 }]);
  kernel = await openKernel({ host: HOST, wrap: network.inHost, baseline });
  await kernel.load(wanted([scope("shop", generation)]));
  assert.deepEqual(
    (await count()).edges.map(({ port, attempts }) => [port, attempts]),
    [[7002, 4]],
  );
  await assert.rejects(
    openKernel({ host: "other", wrap: ["ip", "netns", "exec", network.peer], baseline: "{}" }),
    SyntaxError,
  );
});
