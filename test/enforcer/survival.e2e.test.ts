import assert from "node:assert/strict";
import test, { afterEach, beforeEach } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST, IN_RULE, INVENTORY, scope, wanted } from "./sample-order.js";

let network: HostNetwork;
let kernel: EnforcerKernel;
let host: TrafficAgent;
let peer: TrafficAgent;

beforeEach(async () => {
  network = new HostNetwork(["10.88.0.66", "fd88::66"]);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  host = network.agent(network.inHost);
  peer = network.agent(network.inPeer);
  for (const port of [80, 81]) await host.listen("tcp", port);
  await peer.listen("tcp", 9000);
  await host.listen("udp", 53);
});
afterEach(async () => {
  await kernel?.close();
  network?.close();
});

/** Connections each way, by both families, that no rule permits. */
async function openMany(): Promise<{ agent: TrafficAgent; handle: unknown }[]> {
  const open = [];
  for (let i = 0; i < 10; i++) {
    open.push({ agent: peer, handle: await peer.hold(i % 2 === 0 ? "10.88.0.1" : "fd88::1", 81) });
    open.push({ agent: host, handle: await host.hold(i % 2 === 0 ? "10.88.0.2" : "fd88::2", 9000) });
  }
  for (const { handle } of open) assert.equal(typeof handle, "number");
  // The kernel takes a connection before the program that listens knows of it.
  for (const agent of [host, peer]) while ((await agent.accepted()) !== 10) await wait(20);
  return open;
}

test("from audit to deny, open connections go on and new ones do not", async (t) => {
  await kernel.load(wanted([scope("shop", 1, [])]));
  const open = await openMany();
  await kernel.lease("shop", 600_000);
  const answers = await Promise.all(open.map(({ agent, handle }) => agent.echo(handle)));
  t.diagnostic(`${answers.filter((answer) => answer === "ok").length} of ${open.length} open connections go on`);
  assert.deepEqual(new Set(answers), new Set(["ok"]));
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  assert.equal(await host.connect("fd88::2", 9000), "timeout");
});

test("a cold start straight into deny keeps open connections, idle ones too, when the far side speaks first", async (t) => {
  const open = await openMany();
  await kernel.load(wanted([scope("shop", 1, [])]));
  await kernel.lease("shop", 600_000);
  assert.equal(await peer.push(), 10, "the far side of our outbound connections");
  const answers = await Promise.all(open.map(({ agent, handle }) => agent.echo(handle)));
  t.diagnostic(`${answers.filter((answer) => answer === "ok").length} of ${open.length} open connections go on`);
  assert.deepEqual(new Set(answers), new Set(["ok"]));
  assert.equal(await host.connect("10.88.0.2", 9000), "timeout");
  const [counts] = await kernel.counts();
  assert.ok((counts?.counters.midstream ?? 0) > 0, "they were taken up in the middle");
});

test("cut ends the connections that deny would not have let open, at once, and no other", async (t) => {
  await kernel.load(wanted([scope("shop", 1)]));
  const permitted = await peer.hold("10.88.0.1", 80);
  const missed = [await peer.hold("10.88.0.1", 81), await peer.hold("fd88::1", 81)];
  const outbound = await host.hold("10.88.0.2", 9000);
  await kernel.cut(600_000);
  assert.equal(await peer.echo(missed[0]), "ok", "without a lease nothing is cut");
  await kernel.lease("shop", 600_000);
  assert.ok((await kernel.readBack()).isCutting);
  const began = performance.now();
  const answers = await Promise.all([...missed.map((handle) => peer.echo(handle)), host.echo(outbound)]);
  t.diagnostic(`missed connections end with ${answers.join(", ")} in ${(performance.now() - began).toFixed(0)} ms`);
  assert.deepEqual(answers, ["ECONNRESET", "ECONNRESET", "ECONNRESET"]);
  assert.equal(await peer.echo(permitted), "ok");
});

test("cut spares what was missed in audit and is permitted since", async () => {
  await kernel.load(wanted([scope("shop", 1, [])]));
  const open = await peer.hold("10.88.0.1", 80);
  await kernel.load(wanted([scope("shop", 2)]));
  await kernel.lease("shop", 600_000);
  await kernel.cut(600_000);
  assert.equal(await peer.echo(open), "ok");
});

test("dormant opens the host at once and forgets nothing, and ends as suddenly", async () => {
  await kernel.load(wanted([scope("shop", 1)]));
  await kernel.lease("shop", 600_000);
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  await kernel.dormant(true);
  assert.ok((await kernel.readBack()).isDormant);
  const open = await peer.hold("10.88.0.1", 81);
  assert.equal(typeof open, "number");
  assert.equal(await kernel.load(wanted([scope("shop", 2)])), "loaded");
  const state = await kernel.readBack();
  assert.ok(state.isDormant && state.isIntact, "a load does not wake the table");
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  await kernel.dormant(false);
  assert.equal(await peer.connect("10.88.0.1", 81), "timeout");
  assert.equal(await peer.echo(open), "ok", "what was opened meanwhile goes on");
  assert.equal((await kernel.readBack()).isIntact, true);
});

test("quarantine cuts everything but management and controller, and gives it all back, by itself too", async () => {
  await host.listen("tcp", 22);
  await peer.listen("tcp", 8443);
  await kernel.load(wanted([scope("shop", 1)]));
  const open = await peer.hold("fd88::1", 80);
  const wish = {
    management: ["10.88.0.2/32"],
    controllers: [{ address: "fd88::2", port: 8443 }],
    lease: 600_000,
  };
  await kernel.quarantine(wish);
  assert.ok((await kernel.readBack()).isQuarantined);
  run(["ip", "-n", network.host, "neigh", "flush", "dev", "eth0"]);
  assert.equal(await peer.echo(open, 600), "timeout", "established connections are cut");
  assert.equal(await peer.connect("10.88.0.1", 80), "timeout");
  assert.equal(await host.connect("10.88.0.2", 9000), "timeout");
  assert.equal(await peer.connect("10.88.0.1", 22, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 22, 600, "10.88.0.66"), "timeout");
  assert.equal(await host.connect("fd88::2", 8443, PATIENT_MS), "ok", "after a neighbour flush, by IPv6");
  await kernel.quarantine(undefined);
  assert.equal(await peer.echo(open), "ok");
  const LAST_MS = 2_000;
  const began = performance.now();
  await kernel.quarantine({ ...wish, lease: LAST_MS });
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok", "its SYN is sent again until the end");
  assert.ok(performance.now() - began >= LAST_MS, "and it ends not before");
  assert.equal((await kernel.readBack()).isQuarantined, false);
});

test("lifelines pass under an empty policy in deny: neighbours, SSH, names, time, controller, errors, DHCP", async () => {
  await host.listen("tcp", 22);
  for (const port of [53, 8443]) await peer.listen("tcp", port);
  for (const port of [53, 123, 67]) await peer.listen("udp", port);
  const inventory = {
    ...INVENTORY,
    lifelines: {
      management: ["10.88.0.2/32"],
      resolvers: ["10.88.0.2/32", "fd88::2/128"],
      timeServers: ["fd88::2/128"],
      controllers: [{ address: "10.88.0.2", port: 8443 }],
    },
  };
  await kernel.load(wanted([scope("shop", 1, [])], inventory));
  await kernel.lease("shop", 600_000);
  for (const name of [network.host, network.peer]) run(["ip", "-n", name, "neigh", "flush", "dev", "eth0"]);
  assert.equal(await peer.connect("10.88.0.1", 22, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 22, 500, "10.88.0.66"), "timeout");
  assert.equal(await host.question("10.88.0.2", 53, PATIENT_MS), "ok");
  assert.equal(await host.connect("fd88::2", 53, PATIENT_MS), "ok");
  assert.equal(await host.question("fd88::2", 123, PATIENT_MS), "ok");
  assert.equal(await host.connect("10.88.0.2", 8443, PATIENT_MS), "ok");
  assert.equal(await host.question("10.88.0.2", 67, PATIENT_MS), "ok");
  assert.equal(await host.connect("127.0.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await host.connect("10.88.0.2", 9000), "timeout");
  assert.equal(await host.question("10.88.0.2", 124, PATIENT_MS), "EPERM", "the kernel tells its own programs");
});

test("a policy that locks its own host out heals by the lease alone, by both families", async (t) => {
  await peer.listen("tcp", 8443);
  await kernel.load(wanted([scope("shop", 1, [])]));
  const LAST_MS = 6_000; // longer than any pause between the step that sets it and the one that looks whether it is there
  const began = performance.now();
  await kernel.lease("shop", LAST_MS);
  await kernel.close();
  for (const address of ["10.88.0.2", "fd88::2"]) {
    assert.equal(await host.connect(address, 8443, PATIENT_MS), "ok");
    const afterMs = performance.now() - began;
    t.diagnostic(`${address} is reached again ${Math.round(afterMs)} ms after a lease of ${LAST_MS} ms began`);
    assert.ok(afterMs >= LAST_MS);
  }
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
});

test("a rule for a port holds for TCP and UDP as it says, and SCTP and ICMP are judged by default", async () => {
  await kernel.load(wanted([scope("shop", 1, [IN_RULE])]));
  await kernel.lease("shop", 600_000);
  assert.equal(await peer.question("10.88.0.1", 53, PATIENT_MS), "ok");
  assert.equal(await peer.question("fd88::1", 53, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 53), "timeout");
  assert.throws(() => run([...network.inPeer, "ping", "-c", "1", "-W", "1", "10.88.0.1"]));
  assert.throws(() => run([...network.inPeer, "ping", "-c", "1", "-W", "1", "fd88::1"]));
});
