import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

let network: HostNetwork;
let kernel: EnforcerKernel;
let host: TrafficAgent;
let peer: TrafficAgent;

const FOREIGN = `table ip foreign {
  set s { type ipv4_addr; elements = { 192.0.2.1 } }
  chain input { type filter hook input priority filter; policy accept
    ip saddr @s counter drop
  }
}
table ip6 nat-like {
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
  }
}
`;

before(async () => {
  network = new HostNetwork(["10.88.0.66", "fd88::66"]);
  network.nft(FOREIGN);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  host = network.agent(network.inHost);
  peer = network.agent(network.inPeer);
  for (const port of [80, 81]) await host.listen("tcp", port);
  await host.listen("udp", 53);
  await peer.listen("tcp", 9000);
});
after(async () => {
  await kernel?.close();
  network?.close();
});

/** As it is listed, but for attempts, which the kernel forgets after two minutes. */
const ruleset = () =>
  run([...network.inHost, "nft", "-s", "list", "table", "inet", "portolan"]).replaceAll(
    /(timeout 2m\n)\s+elements = \{[^}]*\}/g,
    "$1",
  );
const leftOfLease = async () => (await kernel.readBack()).scopes[0]?.leaseRemainingMs;

test("a host without a table is told as such, and the first load begins in audit", async () => {
  assert.equal((await kernel.readBack()).table, "absent");
  assert.equal(await kernel.load(wanted([scope("shop", 1)])), "loaded");
  const state = await kernel.readBack();
  assert.deepEqual([state.table, state.isIntact, state.isLoading, state.isDormant], ["ours", true, false, false]);
  assert.deepEqual(state.scopes, [{ scope: "shop", generation: 1, leaseRemainingMs: undefined }]);
  assert.equal(state.wanted, wanted([scope("shop", 1)]).hash);
});

test("in audit everything passes and what no rule permits is counted, in deny it is dropped", async () => {
  await kernel.counts();
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  assert.equal(await peer.connect("fd88::1", 81, PATIENT_MS), "ok");
  const [audited] = await kernel.counts();
  assert.deepEqual(
    audited?.edges.map(({ direction, server, port, attempts, verdict }) => [
      direction,
      server,
      port,
      attempts,
      verdict,
    ]),
    [
      ["ingress", "10.88.0.1", 81, 1, "audited"],
      ["ingress", "fd88::1", 81, 1, "audited"],
    ],
  );
  assert.deepEqual(audited?.permits, [{ rule: "in-good", packets: 1 }]);
  assert.deepEqual([audited?.counters.missed, audited?.counters.denied, audited?.unrecorded], [2, 0, 0]);

  await kernel.lease("shop", 600_000);
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("fd88::1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  assert.equal(await peer.connect("fd88::1", 81), "timeout");
  const [denied] = await kernel.counts();
  assert.deepEqual(
    denied?.edges.map(({ port, attempts, verdict }) => [port, attempts, verdict]),
    [
      [81, 1, "denied"],
      [81, 1, "denied"],
    ],
  );
  assert.equal(denied?.counters.denied, denied?.counters.missed);
  assert.equal(denied?.unrecorded, 0);
  const remaining = await leftOfLease();
  assert.ok(typeof remaining === "number" && remaining > 300_000 && remaining <= 600_000, String(remaining));
  await kernel.dropLease("shop");
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
});

test("an unrenewed lease ends by itself, a renewed one lives on, a permanent one stays", async () => {
  await kernel.lease("shop", 120_000);
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  await kernel.lease("shop", 600_000);
  const renewed = await leftOfLease();
  assert.ok(typeof renewed === "number" && renewed > 120_000, String(renewed));
  assert.equal(await peer.connect("10.88.0.1", 81, 300), "timeout");
  const LAST_MS = 6_000;
  const began = performance.now();
  await kernel.lease("shop", LAST_MS);
  assert.equal(
    await peer.connect("10.88.0.1", 81, PATIENT_MS),
    "ok",
    "its SYN is sent again until the lease has ended",
  );
  assert.ok(performance.now() - began >= LAST_MS, "and not before");
  assert.equal(await leftOfLease(), undefined);
  await kernel.lease("shop", "permanent");
  assert.equal(await leftOfLease(), "permanent");
  await kernel.dropLease();
  assert.equal(await leftOfLease(), undefined);
});

test("an agent that starts again finds what it left and writes nothing", async () => {
  await kernel.lease("shop", 600_000);
  await kernel.close();
  const before = ruleset();
  const handles = run([...network.inHost, "nft", "-a", "list", "table", "inet", "portolan"]).match(/# handle \d+/g);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  const state = await kernel.readBack();
  assert.ok(state.isIntact && typeof state.scopes[0]?.leaseRemainingMs === "number");
  assert.equal(await kernel.load(wanted([scope("shop", 1)])), "unchanged");
  assert.equal(ruleset(), before);
  assert.deepEqual(
    run([...network.inHost, "nft", "-a", "list", "table", "inet", "portolan"]).match(/# handle \d+/g),
    handles,
  );
  await kernel.dropLease();
});

test("a second enforcer of the same host is refused", async () => {
  await assert.rejects(openKernel({ host: HOST, wrap: network.inHost }), { code: "second-enforcer" });
});

test("a new generation keeps leases and open connections, and leaves nothing of the old one", async () => {
  await kernel.load(wanted([scope("shop", 1)]));
  await kernel.lease("shop", 600_000);
  const open = await peer.hold("10.88.0.1", 80);
  await kernel.load(wanted([scope("shop", 2, [])]));
  const state = await kernel.readBack();
  assert.deepEqual([state.scopes[0]?.generation, state.isIntact], [2, true]);
  assert.equal(typeof state.scopes[0]?.leaseRemainingMs, "number");
  assert.equal(await peer.echo(open), "ok");
  assert.equal(await peer.connect("10.88.0.1", 80), "timeout");
  assert.doesNotMatch(ruleset(), /_g1/);
  await kernel.dropLease();
});

test("two policy sets share the table: what either permits passes, and each has its own lease and counts", async () => {
  const closed = scope("closed", 5, []);
  await kernel.load(wanted([scope("shop", 3), closed]));
  await kernel.counts();
  await kernel.lease("closed", 600_000);
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  const counts = await kernel.counts();
  assert.deepEqual(
    counts.map(({ scope: name, generation, edges }) => [name, generation, edges.map(({ verdict }) => verdict)]),
    [
      ["closed", 5, ["denied"]],
      ["shop", 3, ["audited"]],
    ],
  );
  await kernel.load(wanted([scope("shop", 3)]));
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  assert.doesNotMatch(ruleset(), /closed/);
});

test("other tables are byte for byte what they were before, through load, flip, quarantine and removal", async () => {
  const before = network.foreign();
  await kernel.load(wanted([scope("shop", 4, [])]));
  await kernel.quarantine({ management: ["10.88.0.2"], controllers: [], lease: 30_000 });
  await kernel.quarantine(undefined);
  await kernel.dormant(true);
  await kernel.dormant(false);
  await kernel.remove();
  assert.equal((await kernel.readBack()).table, "absent");
  assert.equal(network.foreign(), before);
  assert.ok(before.includes("192.0.2.1"));
});
