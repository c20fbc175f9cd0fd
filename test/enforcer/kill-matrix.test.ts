import assert from "node:assert/strict";
import test from "node:test";
import { drops } from "../../enforcer/state/transition.js";
import { StateFolder } from "../../enforcer/state-folder.js";
import type { EnforcementState } from "../../model/verdict-report.js";
import { peer, ports, rule, SHOP } from "../policy/sample-policy.js";
import { EnforcerScene, QUICK, signedOrder } from "./enforcer-scene.js";

/** The folder in memory, where the process may die before a file is written. */
class MortalFolder extends StateFolder {
  readonly #files = new Map<string, Buffer>();
  onWrite: (name: string) => void = () => {};
  override read(name: string): Buffer | undefined {
    return this.#files.get(name);
  }
  override list(folder: string): string[] {
    return [...this.#files.keys()]
      .filter((name) => name.startsWith(`${folder}/`))
      .map((name) => name.slice(folder.length + 1))
      .sort();
  }
  override write(name: string, data: string | Uint8Array): void {
    this.onWrite(name);
    this.#files.set(name, Buffer.from(data));
  }
  override remove(name: string): void {
    this.#files.delete(name);
  }
}

const more = rule("r5-new", peer("shop", { app: "web" }), peer("shop", { app: "api" }), [ports("tcp", 9999)]);
const ORDERS = [
  await signedOrder(1),
  await signedOrder(2, { policy: { ...SHOP.policy, rules: [...SHOP.policy.rules, more] } }),
  await signedOrder(3),
] as const;

/** A life with every transition that writes: load, warm-up, trial, deny, wider, narrower, failure, pause, flush, quarantine. */
async function wholeLife(scene: EnforcerScene): Promise<void> {
  const act = () => scene.enforcer;
  await act().offer(ORDERS[0]);
  await scene.seconds(3);
  scene.traffic();
  await scene.seconds(6);
  await act().promote("shop");
  await scene.seconds(9);
  await act().offer(ORDERS[1]);
  await scene.seconds(9);
  await act().pause(undefined);
  await act().resume(undefined);
  scene.kernel.flushRuleset();
  await scene.seconds(6);
  await act().quarantine({ lease: "permanent" });
  await act().quarantine(undefined);
  scene.silent = ["probe tcp 10.0.0.53:53: ETIMEDOUT"];
  await scene.seconds(2);
  scene.silent = [];
  await scene.seconds(6);
  await act().promote("shop");
  await scene.seconds(3);
  await act().offer(ORDERS[2]);
  await scene.seconds(3);
}

class Death extends Error {}

/** Counts writes, to the kernel and to the disk alike; from number `fatal` on nothing is written any more. */
async function liveUntil(fatal: number): Promise<{ scene: EnforcerScene; writes: number; at: string }> {
  const scene = new EnforcerScene();
  scene.pollEveryMs = 5000;
  const folder = new MortalFolder(scene.path);
  scene.folder = folder;
  let writes = 0;
  let at = "";
  const count = (what: string) => {
    if (++writes < fatal) return;
    at ||= what;
    throw new Death(what);
  };
  folder.onWrite = count;
  scene.kernel.onWrite = count;
  await scene.restart();
  await wholeLife(scene).catch((error: unknown) => {
    if (!(error instanceof Death)) throw error;
  });
  folder.onWrite = () => {};
  scene.kernel.onWrite = () => {};
  return { scene, writes, at };
}

test("killed at any write, the kernel is in audit within a lease, and a successor is never at odds with it", async (t) => {
  const { scene: whole, writes } = await liveUntil(Number.POSITIVE_INFINITY);
  whole.remove();
  assert.ok(writes > 50, `${writes} writes`);
  let leased = 0;
  for (let fatal = 1; fatal <= writes; fatal++) {
    const { scene, at } = await liveUntil(fatal);
    const where = `killed before write ${fatal}, ${at}`;
    if (scene.kernel.drops("shop")) leased++;
    // The dead process's timers are gone with it; a successor comes at once, or only when every lease is over.
    if (fatal % 2 === 0) {
      scene.clock.pass(QUICK.leaseMs + 1000);
      assert.ok(!scene.kernel.drops("shop"), `${where}: dropped longer than a lease`);
    }
    await scene.restart();
    await scene.settle();
    for (let second = 0; second < 3; second++) {
      const [status] = (await scene.enforcer.status()).scopes;
      const phase: EnforcementState = status?.phase ?? "proposed";
      assert.equal(scene.kernel.drops("shop"), drops({ phase }), `${where}: in ${phase} after ${second} s`);
      assert.ok(status === undefined || scene.kernel.table?.generations.shop === status.generation, where);
      await scene.seconds(1);
    }
    scene.remove();
  }
  t.diagnostic(`${writes} deaths, ${leased} of them with a lease alive`);
});
