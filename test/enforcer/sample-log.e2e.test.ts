import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { type Sample, startSampleLog } from "../../enforcer/sample-log.js";
import { HostNetwork, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

let network: HostNetwork;
let kernel: EnforcerKernel;
let peer: TrafficAgent;
const samples: Sample[] = [];
const absences: string[] = [];

before(async () => {
  network = new HostNetwork();
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  await kernel.load(wanted([scope("shop", 1)]));
  peer = network.agent(network.inPeer);
});
after(async () => {
  await kernel?.close();
  network?.close();
});

function start(wrap: readonly string[]): () => void {
  return startSampleLog({
    wrap,
    onSample: (sample) => samples.push(sample),
    onAbsent: (why) => absences.push(why),
  });
}

async function until(isDone: () => boolean, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  for (const end = Date.now() + 120_000; !isDone(); await wait(100)) {
    assert.ok(Date.now() < end, `${samples.length} samples, absences: ${absences.join()}`);
    await meanwhile();
  }
}

test("missed packets come as examples, and a second reader or a missing tcpdump harms nothing", async (t) => {
  const stop = start(network.inHost);
  t.after(() => stop());
  const isSeen = (address: string) => samples.some(({ example }) => example.server === address);
  await until(
    () => isSeen("10.88.0.1") && isSeen("fd88::1"),
    async () => {
      await peer.send("10.88.0.1", 7777, 1);
      await peer.send("fd88::1", 7777, 1);
    },
  );
  const { scope: name, example } = samples.find((sample) => sample.example.server === "10.88.0.1")!;
  assert.equal(name, "shop");
  const { direction, client, server, protocol, port, clientPort } = example;
  assert.deepEqual([direction, client, server, protocol, port], ["ingress", "10.88.0.2", "10.88.0.1", 17, 7777]);
  assert.ok(clientPort > 1023 && Math.abs(Date.now() * 1000 - example.atUs) < 600e6);

  const stopSecond = start(network.inHost);
  const stopThird = start([...network.inHost, "env", "PATH=/nonexistent"]);
  await until(() => absences.length === 2);
  stopSecond();
  stopThird();
  assert.ok(absences.every((why) => why.startsWith("no examples of missed packets: ") && !why.includes("\n")));

  await kernel.counts();
  await peer.send("10.88.0.1", 7778, 3);
  const [counts] = await kernel.counts();
  assert.deepEqual(
    counts?.edges.map(({ port: to, attempts }) => [to, attempts]),
    [[7778, 3]],
  );
});
