import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import test, { after, before, beforeEach } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { EnforcerKernel, KernelState } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

let network: HostNetwork;
let kernel: EnforcerKernel;
let peer: TrafficAgent;

before(async () => {
  network = new HostNetwork(["10.88.0.66"]);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  peer = network.agent(network.inPeer);
  const host = network.agent(network.inHost);
  for (const port of [80, 81]) await host.listen("tcp", port);
});
after(async () => {
  await kernel?.close();
  network?.close();
});

const order = wanted([scope("shop", 1)]);

beforeEach(async () => {
  await kernel.remove();
  await kernel.load(order);
});

/**
 * Until the monitor has joined its group in the host's list of netlink sockets, where 12 is the kernel's netfilter. What
 * happens before is found all the same, half a minute later.
 */
async function untilListening(): Promise<void> {
  const isListening = () =>
    /^\S+ +12 +\d+ +(?!00000000)[0-9a-f]{8} /m.test(run([...network.inHost, "cat", "/proc/net/netlink"]));
  for (const end = Date.now() + 10_000; !isListening() && Date.now() < end; ) await wait(50);
}

/** Setting the name of a set, an element or a rule of ours by hand, as nobody should. */
const TAMPERING: readonly [what: string, text: string][] = [
  ["the whole ruleset is flushed", "flush ruleset\n"],
  ["our table is deleted", "delete table inet portolan\n"],
  ["a rule is added", "insert rule inet portolan input accept\n"],
  ["a chain is flushed", "flush chain inet portolan dispatch_in\n"],
  ["a permit is added", "add element inet portolan in4_ports_shop_g1 { 10.88.0.66 . 6 . 80 counter }\n"],
  ["a permit is removed", "delete element inet portolan in4_ports_shop_g1 { 10.88.0.2 . 6 . 80 }\n"],
  [
    "a chain of somebody else appears in our table",
    "add chain inet portolan x { type filter hook input priority 0; policy drop; }\n",
  ],
  ["a counter of ours is removed with its rules", "flush chain inet portolan note_in_shop\n"],
];

for (const [what, text] of TAMPERING) {
  test(`it is noticed within two seconds when ${what}, and mended without cutting an open connection`, async (t) => {
    const open = await peer.hold("10.88.0.1", 80);
    await kernel.lease("shop", 600_000);
    const drift = new EventEmitter();
    const stop = kernel.watch((state: KernelState) => drift.emit("drift", state));
    try {
      await untilListening();
      const began = performance.now();
      const told = once(drift, "drift");
      network.nft(text);
      const [state] = (await told) as [KernelState];
      const noticedMs = performance.now() - began;
      assert.ok(state.table !== "ours" || !state.isIntact);
      await kernel.dropLease();
      assert.equal(await kernel.load(order), "loaded");
      t.diagnostic(
        `noticed after ${noticedMs.toFixed(0)} ms, mended after ${(performance.now() - began).toFixed(0)} ms`,
      );
    } finally {
      stop();
    }
    const state = await kernel.readBack();
    assert.deepEqual([state.table, state.isIntact, state.scopes[0]?.leaseRemainingMs], ["ours", true, undefined]);
    assert.equal(await peer.echo(open), "ok");
    assert.equal(await kernel.load(order), "unchanged");
    await kernel.lease("shop", 600_000);
    assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
    assert.equal(await peer.connect("10.88.0.1", 81, 300), "timeout");
    assert.equal(await peer.connect("10.88.0.1", 80, 300, "10.88.0.66"), "timeout");
  });
}

test("what packets, leases, cuts and pauses change is no drift", async () => {
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  await kernel.lease("shop", 600_000);
  await kernel.lease("shop", "permanent");
  await kernel.cut(10_000);
  await kernel.dormant(true);
  assert.ok((await kernel.readBack()).isIntact);
  await kernel.dormant(false);
  assert.ok((await kernel.readBack()).isIntact);
});

test("a pause by hand with no program of ours is no drift, and is told", async () => {
  run([...network.inHost, "nft", "add table inet portolan { flags dormant; }"]);
  const state = await kernel.readBack();
  assert.deepEqual([state.isDormant, state.isIntact], [true, true]);
  run([...network.inHost, "nft", "add table inet portolan"]);
  assert.equal((await kernel.readBack()).isDormant, false);
});

test("a bundle that was loaded by hand is taken over, and a table whose names mean other things is replaced", async () => {
  await kernel.remove();
  network.nft("table inet portolan {\n chain in_shop_g1 {\n accept\n }\n}\n");
  assert.equal((await kernel.readBack()).table, "foreign");
  await kernel.load(order);
  assert.ok((await kernel.readBack()).isIntact);
  await kernel.remove();
  network.nft(
    "table inet portolan {\n set lease_shop { type ipv4_addr; }\n chain input {\n type filter hook input priority -5; policy drop;\n }\n}\n",
  );
  await kernel.load(order);
  assert.ok((await kernel.readBack()).isIntact);
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
});
