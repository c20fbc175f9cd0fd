import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { parseVerdictReport, type VerdictReport } from "../../model/verdict-report.js";
import { cidr, peer, ports, rule, SHOP } from "../policy/sample-policy.js";
import { countsOf, EnforcerScene, QUICK, signedOrder, stageOrder } from "./enforcer-scene.js";

async function scene(t: TestContext, host?: string): Promise<EnforcerScene> {
  const made = new EnforcerScene(host);
  t.after(() => made.remove());
  await made.restart();
  return made;
}

/** Generation 1 in deny, by its whole way. */
async function denying(t: TestContext, settings = QUICK): Promise<{ scene: EnforcerScene; order: Buffer }> {
  const made = await scene(t);
  const order = await signedOrder(1, { settings });
  assert.ok((await made.enforcer.offer(order, "shop")).isDone);
  await made.seconds(3);
  made.traffic();
  await made.seconds(6);
  assert.equal(await made.phase(), "ready");
  assert.ok((await made.enforcer.promote("shop")).isDone);
  await made.seconds(8);
  assert.equal(await made.phase(), "deny");
  return { scene: made, order };
}

const edge = { direction: "ingress", client: "10.0.0.10", server: "10.0.0.20", protocol: 6, port: 8081 } as const;

test("a signed policy goes its way from warm-up to deny, and deny is renewed for as long as the enforcer lives", async (t) => {
  const { scene } = await denying(t);
  await scene.seconds(40);
  assert.equal(await scene.phase(), "deny");
  assert.ok(scene.kernel.drops("shop"));
  await scene.enforcer.stop();
  scene.clock.pass(QUICK.leaseMs + 1);
  assert.ok(!scene.kernel.drops("shop"), "nobody renews: the kernel is back in audit");
});

test("what is refused changes nothing, and is told", async (t) => {
  const { scene, order } = await denying(t);
  const writes = scene.kernel.writes.length;
  const answer = await scene.enforcer.offer(order.subarray(0, -30));
  assert.ok(!answer.isDone && answer.text.startsWith("not-an-envelope: "));
  assert.equal((await scene.enforcer.offer(order)).text, '"shop" is in force already');
  assert.equal(scene.kernel.writes.length, writes);
  assert.equal(await scene.phase(), "deny");
  assert.ok(scene.codes().includes("order-refused"));
});

test("a restart writes nothing to the kernel where it holds what it should", async (t) => {
  const { scene } = await denying(t);
  await scene.enforcer.stop();
  const writes = scene.kernel.writes.length;
  await scene.restart();
  assert.equal(scene.kernel.writes.length, writes);
  assert.equal(await scene.phase(), "deny");
  await scene.seconds(4);
  assert.ok(scene.kernel.writes.slice(writes).every((what) => what === `lease shop ${QUICK.leaseMs}`));
});

test("after a hang longer than its lease a deny is tried anew; after a lease that somebody took away it waits for a human", async (t) => {
  const { scene } = await denying(t);
  scene.clock.pass(QUICK.leaseMs + 5000);
  await scene.seconds(1);
  assert.equal(await scene.phase(), "trial");
  await scene.seconds(8);
  assert.equal(await scene.phase(), "deny");
  scene.kernel.leases.clear();
  await scene.seconds(2);
  assert.equal(await scene.phase(), "rollback");
  await scene.seconds(60);
  assert.equal(await scene.phase(), "rollback");
  assert.ok(scene.codes().includes("lease-taken"));
});

test("a ruleset that somebody flushed comes back in audit, warms up, and is tried again", async (t) => {
  const { scene } = await denying(t);
  scene.kernel.flushRuleset();
  await scene.seconds(1);
  assert.equal(await scene.phase(), "warm-up");
  assert.ok(scene.kernel.table !== undefined && !scene.kernel.drops("shop"));
  await scene.seconds(3);
  assert.equal(await scene.phase(), "trial");
  await scene.seconds(8);
  assert.equal(await scene.phase(), "deny");
});

test("after a reboot nothing is dropped until connections are known", async (t) => {
  const { scene } = await denying(t);
  scene.kernel.flushRuleset();
  scene.machineBoot = "boot-2";
  scene.clock.ms = 5000;
  await scene.restart();
  assert.equal(await scene.phase(), "warm-up");
  assert.ok(!scene.kernel.drops("shop"));
});

test("a wider generation stays in deny by way of a trial, a narrower one is audited first, an older one is refused", async (t) => {
  const { scene } = await denying(t);
  const more = rule("r5-new", peer("shop", { app: "web" }), peer("shop", { app: "api" }), [ports("tcp", 9999)]);
  const wider = { ...SHOP.policy, rules: [...SHOP.policy.rules, more] };
  assert.match((await scene.enforcer.offer(await signedOrder(2, { policy: wider }))).text, /loaded \(wider\), trial/);
  assert.ok(scene.kernel.drops("shop"));
  await scene.seconds(8);
  assert.equal(await scene.phase(), "deny");
  assert.match((await scene.enforcer.offer(await signedOrder(1))).text, /^replayed: /);
  assert.match((await scene.enforcer.offer(await signedOrder(3))).text, /loaded \(narrower\), audit/);
  assert.ok(!scene.kernel.drops("shop"));
});

test("a batch that the kernel refuses leaves the old generation in deny, and is tried again later", async (t) => {
  const { scene } = await denying(t);
  const wider = {
    ...SHOP.policy,
    rules: [...SHOP.policy.rules, rule("r9", cidr("10.9.9.0/24"), peer("shop", { app: "api" }), [ports("tcp", 1)])],
  };
  scene.kernel.onWrite = (what) => {
    if (what === "load") throw new Error("Cannot run nft -f -: syntax error");
  };
  const answer = await scene.enforcer.offer(await signedOrder(2, { policy: wider }));
  assert.match(answer.text, /was not loaded, what was in force stays/);
  assert.equal(await scene.phase(), "deny");
  assert.equal(scene.kernel.table?.generations.shop, 1);
  scene.kernel.onWrite = () => {};
  await scene.seconds(31);
  assert.equal(scene.kernel.table?.generations.shop, 2);
});

test("a silent controller fails a trial at once; in deny it does not, until max offline", async (t) => {
  const { scene } = await denying(t);
  scene.silent = ["controller 10.9.0.5:7443: ETIMEDOUT"];
  await scene.seconds(30);
  assert.equal(await scene.phase(), "deny");
  await scene.seconds(40);
  assert.equal(await scene.phase(), "audit");
  assert.ok(!scene.kernel.drops("shop"));
  scene.silent = [];
  await scene.seconds(6);
  await scene.enforcer.promote("shop");
  assert.equal(await scene.phase(), "trial");
  scene.silent = ["controller 10.9.0.5:7443: ETIMEDOUT"];
  await scene.seconds(2);
  assert.equal(await scene.phase(), "rollback");
});

test("good traffic that a trial drops takes it back; what reviewers disposed of does not", async (t) => {
  const dispositions = [{ client: "192.0.2.0/24", server: "10.0.0.0/8", reason: "the scanner" }];
  const { scene } = await denying(t, { ...QUICK, dispositions, dropBudget: 5 });
  await scene.enforcer.rollback("shop", "test");
  await scene.enforcer.promote("shop");
  scene.kernel.next.push(countsOf({ edges: [{ ...edge, client: "192.0.2.7", attempts: 500, verdict: "denied" }] }));
  await scene.seconds(2);
  assert.equal(await scene.phase(), "trial");
  scene.kernel.next.push(countsOf({ edges: [{ ...edge, attempts: 1, verdict: "denied" }] }));
  await scene.seconds(2);
  assert.equal(await scene.phase(), "rollback");
  assert.match(scene.incidents.findLast(({ code }) => code === "trial-failed")?.text ?? "", /history had marked good/);
});

test("one line of nft pauses, resumes and cuts off the host, and the enforcer takes it for what it is", async (t) => {
  const { scene } = await denying(t);
  scene.kernel.isDormant = true;
  await scene.seconds(1);
  assert.equal(await scene.phase(), "paused");
  scene.kernel.isDormant = false;
  await scene.seconds(1);
  assert.equal(await scene.phase(), "trial");
  scene.kernel.isQuarantined = true;
  await scene.seconds(1);
  assert.equal(await scene.phase(), "quarantine");
  await scene.restart();
  assert.equal(await scene.phase(), "quarantine");
  await scene.enforcer.quarantine(undefined);
  assert.equal(await scene.phase(), "trial");
});

test("where the kernel's table of connections is nearly full our table sleeps until there is room again", async (t) => {
  const { scene } = await denying(t);
  // What the preflight says of it at three quarters changes nothing about that.
  scene.kernel.connections = { taken: 760, most: 1000 };
  scene.kernel.obstacles = [{ code: "conntrack-full", gravity: "refuses", text: "760 of 1000" }];
  await scene.seconds(61);
  assert.ok(!scene.kernel.isDormant);
  scene.kernel.connections = { taken: 905, most: 1000 };
  await scene.seconds(1);
  assert.ok(scene.kernel.isDormant);
  assert.equal(await scene.phase(), "paused");
  scene.kernel.connections = { taken: 800, most: 1000 };
  await scene.seconds(2);
  assert.ok(scene.kernel.isDormant, "not yet");
  scene.kernel.connections = { taken: 700, most: 1000 };
  scene.kernel.obstacles = [];
  await scene.seconds(1);
  assert.ok(!scene.kernel.isDormant);
  assert.equal(await scene.phase(), "trial");
});

test("a repair that the kernel refuses is told and tried again, and the enforcer lives on", async (t) => {
  const { scene } = await denying(t);
  scene.kernel.onWrite = (what) => {
    if (what === "load") throw new Error("Cannot run nft: no room");
  };
  await scene.kernel.tamper();
  await scene.settle();
  assert.deepEqual(
    scene.incidents.filter(({ code }) => code === "kernel-failed").map(({ text }) => text),
    ["Cannot run nft: no room"],
  );
  assert.ok(!scene.kernel.drops("shop"), "a table that is not as it should be drops nothing");
  scene.kernel.onWrite = () => {};
  await scene.seconds(1);
  assert.ok(scene.kernel.isIntact);
  assert.equal(await scene.phase(), "trial");
});

test("a stage order moves the hosts that it holds, and an older one or one for another policy is refused", async (t) => {
  const made = await scene(t, "shop/api");
  const settings = { ...QUICK, canaries: ["shop/web"] };
  const order = await signedOrder(1, { settings });
  await made.enforcer.offer(order);
  const canary = await stageOrder(order, "canary", 1);
  await made.enforcer.stage(canary, "shop");
  await made.seconds(3);
  made.traffic();
  await made.seconds(10);
  assert.equal(await made.phase(), "ready", "it is no canary");
  await made.enforcer.stage(await stageOrder(order, "100%", 2), "shop");
  await made.seconds(1);
  assert.equal(await made.phase(), "trial");
  assert.match((await made.enforcer.stage(canary)).text, /^replayed/);
  await made.enforcer.stage(await stageOrder(order, "audit", 3));
  assert.equal(await made.phase(), "rollback");
  await made.seconds(20);
  assert.equal(await made.phase(), "rollback");
  await made.enforcer.stage(await stageOrder(order, "100%", 4));
  assert.equal(await made.phase(), "trial");
});

test("a clock set back or forth a day changes nothing that is in force", async (t) => {
  const { scene } = await denying(t);
  for (const days of [-1, 2, -365]) {
    scene.clock.wall += days * 86_400_000;
    await scene.seconds(20);
    assert.equal(await scene.phase(), "deny");
    assert.ok(scene.kernel.drops("shop"));
  }
});

test("reports are kept until somebody takes them, in order, over a restart, and each count is in one of them", async (t) => {
  const { scene } = await denying(t);
  scene.kernel.next.push(countsOf({ edges: [{ ...edge, attempts: 7, verdict: "denied" }] }));
  await scene.seconds(1);
  await assert.rejects(scene.enforcer.flush(async () => Promise.reject(new Error("broker away"))));
  await scene.enforcer.stop();
  await scene.restart();
  const taken: VerdictReport[] = [];
  await scene.enforcer.flush(async (bytes) => void taken.push(parseVerdictReport(bytes)));
  assert.deepEqual(
    taken.map(({ sequence }) => sequence),
    taken.map((_, i) => i + 1),
  );
  assert.equal(
    taken.flatMap(({ edges }) => edges).reduce((sum, { attempts }) => sum + attempts, 0),
    7,
  );
  assert.equal(
    taken.flatMap(({ permits }) => permits).reduce((sum, { packets }) => sum + packets, 0),
    10,
  );
});

test("an inventory that does not know this host is not taken over", async (t) => {
  const { scene } = await denying(t);
  const inventory = { ...SHOP.inventory, workloads: SHOP.inventory.workloads.filter(({ id }) => id !== "shop/web") };
  assert.ok((await scene.enforcer.setInventory(inventory, "local")).isDone);
  assert.equal(await scene.phase(), "deny");
  scene.kernel.onWrite = () => {
    throw new RangeError('Cannot render the table of host "shop/api"');
  };
  const answer = await scene.enforcer.setInventory(SHOP.inventory, "local");
  assert.ok(!answer.isDone && answer.text.includes("the last one stays"));
});
