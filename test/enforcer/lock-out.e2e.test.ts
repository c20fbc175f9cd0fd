// A signed policy that cuts the host off from its controller, its names or its health probe. With PORTOLAN_LONG=1 every
// way of cutting off is tried with the enforcer alive, killed and stopped.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { HostEnforcer } from "../../enforcer/host-enforcer.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { StateFolder } from "../../enforcer/state-folder.js";
import { wantedTable } from "../../enforcer/wanted-table.js";
import type { PolicySet } from "../../policy/policy-set.js";
import type { HealthProbe } from "../../policy/trust/enforcement-settings.js";
import { pods, ports, rule } from "../policy/sample-policy.js";
import { EnforcerProcess } from "./enforcer-process.js";
import { KEYRING, QUICK, signedOrder, stageOrder } from "./enforcer-scene.js";
import { HostNetwork, PATIENT_MS, type TrafficAgent } from "./host-network.js";
import { SWIFT, signNow } from "./release.js";
import { HOST, INVENTORY } from "./sample-order.js";

const CONTROLLER = 7443;
const HEALTH = 8080;
const [PEER4, PEER6] = ["10.88.0.2", "fd88::2"];
/** A probe waits for a quarter of it: so long is a host cut off whose enforcer lives, and so long is there to see it. */
const LEASE_MS = 16_000;
const PROBES: readonly HealthProbe[] = [
  { kind: "tcp", address: PEER4, port: HEALTH },
  { kind: "tcp", address: PEER6, port: HEALTH },
  { kind: "dns", address: PEER4, name: "controller.example" },
  { kind: "dns", address: PEER6, name: "controller.example" },
];
/** The author disposed of everything, so that nothing but the trial itself can find the mistake. */
const dispositions = ["0.0.0.0/0", "::/0"].map((all) => ({ client: all, server: all, reason: "careless" }));
const SETTINGS = {
  ...SWIFT,
  trialLeaseMs: LEASE_MS,
  families: [4, 6] as const,
  probes: PROBES,
  dispositions,
  dropBudget: 1_000_000,
};

type Victim = "controller" | "dns" | "health";

/** May do everything but reach the victim. */
function policyAgainst(victim: Victim, generation: number): PolicySet {
  const all: readonly (readonly [Victim, ReturnType<typeof ports>])[] = [
    ["controller", ports("tcp", CONTROLLER)],
    ["dns", ports("udp", 53)],
    ["health", ports("tcp", HEALTH)],
  ];
  const host = { kind: "workloads", selector: pods("lab", { app: "host" }) } as const;
  const services = all.filter(([name]) => name !== victim).map(([, service]) => service);
  return {
    version: 1,
    name: "mistake",
    generation,
    rules: [rule("most", host, { kind: "any" }, services)],
    isolations: [{ selector: host.selector, direction: "egress", mode: "deny" }],
    groups: [],
  };
}

let network: HostNetwork;
let inside: TrafficAgent;
before(async () => {
  network = new HostNetwork();
  inside = network.agent(network.inHost);
  const peer = network.agent(network.inPeer);
  for (const port of [CONTROLLER, HEALTH]) await peer.listen("tcp", port);
  await peer.listen("udp", 53);
});
after(() => network?.close());

/** Long for a packet on this wire, and short beside a lease. */
const PATIENCE_MS = 250;

/** A datagram from a port that was answered a minute ago belongs to an open connection: few questions, few such ports. */
const ASK_EVERY_MS = 25;

/** Whether the victim answers a fresh question over this family now. */
async function reaches(victim: Victim, address: string, patienceMs = PATIENCE_MS): Promise<boolean> {
  if (victim === "dns") return (await inside.question(address, 53, patienceMs)) === "ok";
  return (await inside.connect(address, victim === "controller" ? CONTROLLER : HEALTH, patienceMs)) === "ok";
}

interface Trial {
  isBegun(): boolean;
  /** The enforcer has taken it back, or its lease has ended. */
  isOver(): boolean;
  onCut(): void;
}

/**
 * Milliseconds from the first question that was not answered, once the trial began, to the first that was again. A machine
 * that is busy may be late with an answer too, so that nothing before the trial counts; one that held us up until the trial
 * was over shows no outage.
 */
async function outage(victim: Victim, address: string, { isBegun, isOver, onCut }: Trial): Promise<number | undefined> {
  const end = Date.now() + 180_000;
  let asked = performance.now();
  while (!isBegun() || (await reaches(victim, address))) {
    if (isOver()) return undefined;
    assert.ok(Date.now() < end, `${victim} was never cut off over ${address}`);
    await wait(ASK_EVERY_MS);
    asked = performance.now();
  }
  onCut();
  while (!(await reaches(victim, address))) {
    assert.ok(Date.now() < end, `${victim} stays cut off over ${address}`);
    await wait(ASK_EVERY_MS);
  }
  return Math.round(performance.now() - asked);
}

const FATES = ["alive", "SIGKILL", "SIGSTOP"] as const;
const VICTIMS = ["controller", "dns", "health"] as const;
const isLong = process.env.PORTOLAN_LONG === "1";
const CASES = VICTIMS.flatMap((victim) => FATES.map((fate) => ({ victim, fate }))).filter(
  ({ victim, fate }) => isLong || fate === "alive" || victim === "controller",
);

for (const { victim, fate } of CASES) {
  test(`a policy that cuts off the ${victim} heals by itself with the enforcer ${fate}, over IPv4 and IPv6`, async (t) => {
    const enforcer = new EnforcerProcess(network.inHost, HOST, INVENTORY);
    t.after(async () => {
      await enforcer.remove();
      network.nft("add table inet portolan\ndelete table inet portolan\n");
    });
    enforcer.setPolicy(await signNow(policyAgainst(victim, 1), INVENTORY, SETTINGS));
    await enforcer.start(["--controller", `${PEER4}:${CONTROLLER}`, "--controller", `[${PEER6}]:${CONTROLLER}`]);
    await enforcer.untilPhase("mistake", "ready");
    let struckMs = Number.POSITIVE_INFINITY;
    const isStruck = () => Number.isFinite(struckMs);
    const strike = () => {
      if (isStruck() || fate === "alive") return;
      enforcer.signal(fate);
      struckMs = performance.now();
    };
    const times = (line: RegExp) => [...enforcer.log.matchAll(line)].length;
    const [TRIED, FAILED] = [/-> trial \(promote\)/g, /mistake: trial-failed: /g];
    do {
      const [tried, failed] = [times(TRIED), times(FAILED)];
      const trial: Trial = {
        isBegun: () => times(TRIED) > tried,
        isOver: () => times(FAILED) > failed || performance.now() > struckMs + LEASE_MS,
        onCut: strike,
      };
      const watched = Promise.all([PEER4, PEER6].map((address) => outage(victim, address, trial)));
      // A trial that was over before we could strike is begun again, as soon as its gates are open again.
      const promoted = (async () => {
        const promote = () => enforcer.say({ verb: "promote", scope: "mistake" }).catch(() => undefined);
        while ((await promote())?.isDone === false) await wait(100);
      })();
      const [over4, over6] = await watched;
      t.diagnostic(
        `${victim}, enforcer ${fate}: cut off for ${over4} ms over IPv4, ${over6} ms over IPv6 (lease ${LEASE_MS} ms)`,
      );
      if (fate === "alive") await promoted;
    } while (fate !== "alive" && !isStruck());
    if (fate === "alive") {
      await enforcer.until(() => /mistake: trial-failed: .*(controller|probe)/.test(enforcer.log), "a failed trial");
    } else {
      await enforcer.end("SIGKILL");
    }
    for (const address of [PEER4, PEER6]) assert.ok(await reaches(victim, address, PATIENT_MS));
  });
}

test("a trial by order that failed twice waits for a human, who may try it once more", async (t) => {
  const path = mkdtempSync(join(tmpdir(), `portolan-trials-${process.pid}-`));
  const kernel = await openKernel({ host: HOST, wrap: network.inHost });
  const told: string[] = [];
  const enforcer = await HostEnforcer.start({
    ...{ host: HOST, enforcer: "lab", boot: "process", machineBoot: "machine", keyring: KEYRING, kernel },
    render: (policySets, inventory) => wantedTable({ host: HOST, policySets, inventory, isForwarding: false }),
    // Asks from inside the host, whose kernel is the one that drops.
    prober: {
      async ask() {
        const answers = await Promise.all((["health", "controller"] as const).map((what) => reaches(what, PEER4, 700)));
        return answers[1] ? [] : ["controller: no answer"];
      },
    },
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.parse("2026-06-01T12:00:00Z") },
    folder: new StateFolder(path),
    pollEveryMs: 300,
    onIncident: ({ code, text }) => told.push(`${code}: ${text}`),
  });
  t.after(async () => {
    await enforcer.stop();
    await kernel.remove();
    await kernel.close();
    rmSync(path, { recursive: true });
  });
  const standing = async () => (await enforcer.status()).scopes[0];
  const until = async (line: RegExp) => {
    for (const end = Date.now() + 180_000; !told.some((each) => line.test(each)); ) {
      assert.ok(Date.now() < end, `waited in vain for ${line} in ${told.join("\n")}`);
      await enforcer.tick();
      await wait(100);
    }
  };
  const settings = { ...QUICK, ...SETTINGS, canaries: [HOST] };
  const order = await signedOrder(1, { policy: policyAgainst("controller", 1), inventory: INVENTORY, settings });
  assert.ok((await enforcer.setInventory(INVENTORY, "local")).isDone);
  await enforcer.offer(order);
  await enforcer.stage(await stageOrder(order, "canary", 1));
  await until(/^trial-failed: .*controller.*may be tried once more/);
  await until(/^trial-failed: .*controller.*waits for a human/);
  const trials = () => told.filter((each) => /-> trial/.test(each)).length;
  assert.equal(trials(), 2, "tried again by itself, once");
  for (let i = 0; i < 10; i++) {
    await wait(100);
    await enforcer.tick();
  }
  const after = await standing();
  assert.deepEqual([after?.phase, after?.failures, after?.waitsForHuman], ["rollback", 2, true]);
  assert.ok(after?.gates.some(({ name, isMet }) => name === "trials taken back" && !isMet));
  assert.ok(await reaches("controller", PEER4, PATIENT_MS), "nothing is dropped any more");
  for (const end = Date.now() + 180_000; !(await enforcer.promote("mistake")).isDone; await wait(100)) {
    assert.ok(Date.now() < end, "a human may try it");
    await enforcer.tick();
  }
  assert.equal(trials(), 3);
});
