import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostEnforcer } from "../../enforcer/host-enforcer.js";
import type { Incident } from "../../enforcer/scope-life.js";
import { StateFolder } from "../../enforcer/state-folder.js";
import type { Inventory } from "../../model/workload.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { type EnforcementSettings, enforcementSettingsSchema } from "../../policy/trust/enforcement-settings.js";
import { addSignature, renderEnvelope, sealDocument } from "../../policy/trust/envelope.js";
import { makePolicyOrder, type OrderOptions } from "../../policy/trust/policy-order.js";
import type { Stage } from "../../policy/trust/stage.js";
import { verifyPolicy } from "../../policy/trust/verify-policy.js";
import { SHOP } from "../policy/sample-policy.js";
import { DAY, keyringOf, person } from "../policy/trust/people.js";
import { FakeKernel, fakeRender, TestClock } from "./fake-kernel.js";

const release = await person("release", ["signer", "promoter"]);
export const KEYRING = keyringOf([release], false);

/** Quick, so that a test passes through every state in some seconds of its clock. */
export const QUICK: EnforcementSettings = enforcementSettingsSchema.parse({
  warmUpMs: 2000,
  auditMs: 5000,
  quietMs: 3000,
  trialMs: 4000,
  trialLeaseMs: 3000,
  leaseMs: 9000,
  maxOfflineMs: 60_000,
});

export async function signedOrder(
  generation: number,
  more: Partial<OrderOptions> & { policy?: PolicySet; inventory?: Inventory } = {},
) {
  const now = Date.parse("2026-06-01T00:00:00Z");
  const { policy = SHOP.policy, inventory = SHOP.inventory, ...options } = more;
  const order = makePolicyOrder(policy, inventory, {
    generation,
    mode: "deny",
    settings: QUICK,
    notBeforeMs: now + generation,
    expiresMs: now + 30 * DAY,
    ...options,
  });
  const envelope = await addSignature(sealDocument(order), "portolan-policy+jws", release.signing, "signer", now);
  return Buffer.from(renderEnvelope(envelope));
}

export async function stageOrder(policy: Uint8Array, stage: Stage, sequence: number): Promise<Buffer> {
  const nowMs = Date.parse("2026-06-01T00:00:00Z") + DAY / 2;
  const { order, hash } = await verifyPolicy(policy, { keyring: KEYRING, nowMs });
  const document = {
    version: 1,
    scope: order.scope,
    generation: order.generation,
    policyHash: hash,
    stage,
    sequence,
    expires: order.expires,
  };
  const envelope = await addSignature(sealDocument(document), "portolan-stage+jws", release.signing, "promoter", nowMs);
  return Buffer.from(renderEnvelope(envelope));
}

/** One host with a kernel and a clock that the test moves; `restart` is a new process on the same host. */
export class EnforcerScene {
  readonly clock = new TestClock();
  readonly kernel = new FakeKernel(this.clock);
  readonly path = mkdtempSync(join(tmpdir(), `portolan-enforcer-${process.pid}-`));
  readonly incidents: Incident[] = [];
  silent: string[] = [];
  machineBoot = "boot-1";
  pollEveryMs = 1000;
  folder = new StateFolder(this.path);
  enforcer!: HostEnforcer;
  #boots = 0;

  constructor(readonly host = "shop/api") {}

  async restart(): Promise<HostEnforcer> {
    this.enforcer = await HostEnforcer.start({
      host: this.host,
      enforcer: `enforcer/${this.host}`,
      boot: `process-${++this.#boots}`,
      machineBoot: this.machineBoot,
      kernel: this.kernel,
      render: fakeRender,
      keyring: KEYRING,
      prober: { ask: async () => this.silent },
      clock: this.clock,
      folder: this.folder,
      pollEveryMs: this.pollEveryMs,
      onIncident: (incident) => this.incidents.push(incident),
    });
    return this.enforcer;
  }

  async seconds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.clock.pass(1000);
      await this.enforcer.tick();
      await this.settle();
    }
  }

  /** Until questions that were asked are answered. */
  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    await this.enforcer.status();
  }

  traffic(packets = 10): void {
    this.kernel.next.push(countsOf({ permits: [{ rule: "r2-api", packets }] }));
  }

  async phase(scope = "shop"): Promise<string | undefined> {
    return (await this.enforcer.status()).scopes.find((each) => each.scope === scope)?.phase;
  }

  codes(): string[] {
    return this.incidents.map(({ code }) => code);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

type Counts = Awaited<ReturnType<FakeKernel["counts"]>>[number];

export function countsOf(more: Partial<Counts>): Counts {
  const counters = { missed: 0, repeated: 0, recorded: 0, denied: 0, invalid: 0, midstream: 0 };
  return { scope: "shop", generation: 1, counters, unrecorded: 0, edges: [], permits: [], ...more };
}
