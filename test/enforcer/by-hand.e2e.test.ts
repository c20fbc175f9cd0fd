import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { after, before } from "node:test";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

const PAGE = readFileSync(new URL("../../../docs/enforcement.md", import.meta.url), "utf8");

/** The commands of the page, as a person would copy them, with this network's own addresses. */
const COMMANDS = [...PAGE.matchAll(/^nft '[^']*'/gm)].map(([line]) => line.replaceAll("10.20.9.0/24", "10.88.0.2"));

let network: HostNetwork;
let kernel: EnforcerKernel;
let peer: TrafficAgent;

before(async () => {
  network = new HostNetwork(["10.88.0.66"]);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  peer = network.agent(network.inPeer);
  const host = network.agent(network.inHost);
  for (const port of [22, 80, 81]) await host.listen("tcp", port);
});
after(async () => {
  await kernel?.close();
  network?.close();
});

function byHand(pattern: RegExp): string {
  const command = COMMANDS.find((line) => pattern.test(line));
  assert.ok(command !== undefined, `the page has a command like ${pattern}`);
  return run([...network.inHost, "sh", "-c", command]);
}

test("pause, rollback and looking, as the page says", async () => {
  await kernel.load(wanted([scope("shop", 1)]));
  await kernel.lease("shop", "permanent");
  assert.equal(await peer.connect("10.88.0.1", 81, 300), "timeout");
  byHand(/flags dormant/);
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  byHand(/'add table inet portolan'/);
  assert.equal(await peer.connect("10.88.0.1", 81, 300), "timeout");
  assert.match(byHand(/list set inet portolan lease_shop/), /ipv4.*ipv6/);
  assert.match(byHand(/list counters/), /c_in_denied_shop/);
  assert.match(byHand(/list set inet portolan denied_in4_shop/), /10\.88\.0\.2 \. 10\.88\.0\.1 \. tcp \. 81/);
  byHand(/flush set inet portolan lease_shop/);
  assert.equal(await peer.connect("10.88.0.1", 81, PATIENT_MS), "ok");
  assert.match(byHand(/list set inet portolan seen_in4_shop/), /10\.88\.0\.2 \. 10\.88\.0\.1 \. tcp \. 81/);
  assert.ok((await kernel.readBack()).isIntact);
});

test("quarantine and its end, as the page says, and an enforcer sees it", async () => {
  byHand(/portolan_quarantine comes/);
  assert.ok((await kernel.readBack()).isQuarantined);
  assert.equal(await peer.connect("10.88.0.1", 80, 300), "timeout");
  run(["ip", "-n", network.host, "neigh", "flush", "dev", "eth0"]);
  assert.equal(await peer.connect("10.88.0.1", 22, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 22, 300, "10.88.0.66"), "timeout");
  byHand(/delete table inet portolan_quarantine/);
  assert.equal((await kernel.readBack()).isQuarantined, false);
  assert.equal(await peer.connect("fd88::1", 80, PATIENT_MS), "ok");
  byHand(/'delete table inet portolan'/);
  assert.equal((await kernel.readBack()).table, "absent");
});
