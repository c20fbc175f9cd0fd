import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import type { Inventory } from "../../model/workload.js";
import { inventoryOf, workload } from "../policy/sample-policy.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

const FLOOD = fileURLToPath(new URL("../../../test/enforcer/programs/flood.py", import.meta.url));
const MOVES = Number(process.env.PORTOLAN_MOVES ?? 8);

let network: HostNetwork;
let kernel: EnforcerKernel;
let peer: TrafficAgent;

before(async () => {
  network = new HostNetwork(["10.88.0.66"]);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
  peer = network.agent(network.inPeer);
  const host = network.agent(network.inHost);
  await host.listen("tcp", 80);
});
after(async () => {
  await kernel?.close();
  network?.close();
});

/** Who has which address. */
function world(good: string, evil: string): Inventory {
  return inventoryOf([
    workload(HOST, { app: "host" }, ["10.88.0.1", "fd88::1"], "Host"),
    workload("lab/good", { app: "good" }, [good]),
    workload("lab/evil", { app: "evil" }, [evil]),
  ]);
}

test("an address that moves to another workload takes no permission along, and the new owner has it at once", async (t) => {
  const policy = [scope("shop", 1)];
  await kernel.load(wanted(policy, world("10.88.0.2", "10.88.0.66")));
  await kernel.lease("shop", 600_000);
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS), "ok");
  assert.equal(await peer.connect("10.88.0.1", 80, 300, "10.88.0.66"), "timeout");
  const began = performance.now();
  await kernel.load(wanted(policy, world("10.88.0.66", "10.88.0.2")));
  t.diagnostic(`two addresses changed their owner in ${(performance.now() - began).toFixed(0)} ms`);
  assert.equal(await peer.connect("10.88.0.1", 80, 300), "timeout");
  assert.equal(await peer.connect("10.88.0.1", 80, PATIENT_MS, "10.88.0.66"), "ok");
  const state = await kernel.readBack();
  assert.deepEqual([state.scopes[0]?.generation, state.isIntact], [1, true], "the signed generation is the same");
});

/**
 * Both addresses send all the time while they change owners to and fro. A set in the kernel remembers for each the last
 * packet that passed; once a load has resolved, the one that lost its permission may not pass once more.
 */
test("under a flood no packet of a former owner passes once its address has moved", async (t) => {
  const policy = [scope("shop", 1)];
  await kernel.load(wanted(policy, world("10.88.0.2", "10.88.0.66")));
  await kernel.lease("shop", "permanent");
  network.nft(`table inet observer {
  chain before {
    type filter hook input priority filter + 10; policy accept;
    ip saddr 10.88.0.2 udp dport 53 counter comment "came 10.88.0.2"
    ip saddr 10.88.0.66 udp dport 53 counter comment "came 10.88.0.66"
  }
  chain after {
    type filter hook input priority filter + 30; policy accept;
    ip saddr 10.88.0.2 udp dport 53 counter drop comment "passed 10.88.0.2"
    ip saddr 10.88.0.66 udp dport 53 counter drop comment "passed 10.88.0.66"
  }
}
`);
  const observed = () => {
    const listed = JSON.parse(run([...network.inHost, "nft", "-j", "list", "table", "inet", "observer"])) as {
      nftables: { rule?: { comment: string; expr: { counter?: { packets: number } }[] } }[];
    };
    return new Map(
      listed.nftables.flatMap(({ rule }) =>
        rule === undefined ? [] : [[rule.comment, rule.expr.find(({ counter }) => counter)?.counter?.packets ?? 0]],
      ),
    );
  };
  const children = ["10.88.0.2", "10.88.0.66"].map((from) =>
    spawn("ip", ["netns", "exec", network.peer, "python3", FLOOD, "3600", "20000", `${from}>10.88.0.1`, "53"]),
  );
  let through = 0;
  try {
    for (let move = 0; move < MOVES; move++) {
      const [good, evil] = move % 2 === 0 ? ["10.88.0.66", "10.88.0.2"] : ["10.88.0.2", "10.88.0.66"];
      await kernel.load(wanted(policy, world(good!, evil!)));
      const before = observed();
      let after = before;
      const since = (what: string) => (after.get(what) ?? 0) - (before.get(what) ?? 0);
      // As long as it takes until both have come: a flood may be slow to begin.
      for (const end = Date.now() + 120_000; since(`came ${evil}`) < 100 || since(`passed ${good}`) < 100; ) {
        assert.ok(Date.now() < end, JSON.stringify([...after]));
        await new Promise((resolve) => setTimeout(resolve, 100));
        after = observed();
      }
      assert.equal(since(`passed ${evil}`), 0, `${evil} is nobody's friend now`);
      through += since(`passed ${good}`);
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
  t.diagnostic(`${MOVES} moves under a flood: ${through} packets of the owner passed, 0 of the former one`);
});
