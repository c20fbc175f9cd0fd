import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { HostNetwork, PATIENT_MS, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

const PROGRAM = fileURLToPath(new URL("./programs/load-and-die.js", import.meta.url));

let network: HostNetwork;
let peer: TrafficAgent;

before(async () => {
  network = new HostNetwork();
  peer = network.agent(network.inPeer);
  const host = network.agent(network.inHost);
  for (const port of [80, 81]) await host.listen("tcp", port);
});
after(() => network?.close());

const open = () => openKernel({ host: HOST, wrap: network.inHost });

let generation = 1;

/** Build, flip and reap, each with the agent gone before it and after it. */
for (const [step, name] of ["build", "flip", "reap"].entries()) {
  for (const when of ["before", "after"] as const) {
    test(`an agent killed ${when} ${name} leaves a host that judges, and the next one finishes`, async (t) => {
      const first = await open();
      await first.load(wanted([scope("shop", generation)]));
      await first.lease("shop", 600_000);
      const connection = await peer.hold("10.88.0.1", 80);
      await first.close();

      const next = ++generation;
      const { signal } = spawnSync(process.execPath, [PROGRAM, network.host, String(next), String(step + 1), when]);
      assert.equal(signal, "SIGKILL");
      assert.equal(await peer.echo(connection), "ok");
      assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
      assert.equal(await peer.connect("fd88::1", 81, 400), "timeout");

      const second = await open();
      const found = await second.readBack();
      const isDone = step === 2 && when === "after";
      const isUntouched = step === 0 && when === "before";
      assert.deepEqual([found.isLoading, found.isIntact], [!isDone && !isUntouched, isDone || isUntouched]);
      assert.equal(await second.load(wanted([scope("shop", next)])), isDone ? "unchanged" : "loaded");
      const state = await second.readBack();
      t.diagnostic(
        `killed ${when} ${name}: generation ${state.scopes[0]?.generation}, lease ${state.scopes[0]?.leaseRemainingMs} ms`,
      );
      assert.deepEqual([state.isIntact, state.scopes.map((each) => each.generation)], [true, [next]]);
      assert.equal(typeof state.scopes[0]?.leaseRemainingMs, "number", "the lease outlives the agent");
      assert.equal(await peer.echo(connection), "ok");
      assert.equal(await peer.connect("fd88::1", 81, 400), "timeout");
      await second.close();
    });
  }
}
