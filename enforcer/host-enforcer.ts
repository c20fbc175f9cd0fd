import { parseInventory } from "../model/inventory-file.js";
import { formatInventory } from "../model/inventory-format.js";
import type { VerdictReport } from "../model/verdict-report.js";
import type { Inventory } from "../model/workload.js";
import type { HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import type { PolicySet } from "../policy/policy-set.js";
import { AcceptedPolicies } from "../policy/trust/accepted-policies.js";
import type { Keyring } from "../policy/trust/keyring.js";
import { type HeldPolicy, restorePolicy } from "../policy/trust/restore-policy.js";
import { isInStage } from "../policy/trust/stage.js";
import { type StageOrder, verifyStage } from "../policy/trust/stage-order.js";
import { TrustError } from "../policy/trust/trust-error.js";
import { type Answer, done, refused } from "./answer.js";
import type { Clock } from "./clock.js";
import { judgeEdges } from "./edge-judgement.js";
import { EnforcementTally } from "./enforcement-tally.js";
import type { EnforcerKernel, KernelState, Obstacle, QuarantineWish, ScopeCounts } from "./enforcer-kernel.js";
import { type EnforcerMemory, readMemory, writeMemory } from "./enforcer-memory.js";
import { type EnforcerFigures, scopeFigures, scopeStatus } from "./host-status.js";
import type { Controller, Prober } from "./probe/prober.js";
import { ReportOutbox, type ReportSink } from "./report-outbox.js";
import { permitsAllOf } from "./ruleset-cover.js";
import { type Incident, ScopeLife } from "./scope-life.js";
import type { ScopeEvent } from "./state/scope-state.js";
import type { StateFolder } from "./state-folder.js";
import { type HeardInventory, rulesetOf, surroundingsOf } from "./surroundings.js";
import { verdictReportsOf } from "./verdict-reports.js";
import type { WantedTable } from "./wanted-table.js";

export interface HostEnforcerParts {
  readonly host: string; // workload id
  readonly enforcer: string;
  readonly boot: string; // of this process
  readonly machineBoot: string;
  readonly kernel: EnforcerKernel;
  readonly render: (policySets: readonly PolicySet[], inventory: Inventory) => WantedTable;
  readonly keyring: Keyring;
  readonly scopes?: readonly string[];
  readonly prober: Prober;
  /** Asked beside those of the inventory's lifelines. */
  readonly controllers?: readonly Controller[];
  readonly clock: Clock;
  readonly folder: StateFolder;
  readonly pollEveryMs: number;
  readonly onIncident: (incident: Incident) => void;
}

const PREFLIGHT_EVERY_MS = 60_000;
const RETRY_EVERY_MS = 30_000;
const NEARLY_FULL = 0.9;
const ROOM_AGAIN = 0.75;
/**
 * The enforcer of one host: takes orders and inventories, keeps the kernel at what they say, asks whether all is well, and
 * tells what was counted. Everything that changes something goes through one queue; questions to others do not wait in it.
 */
export class HostEnforcer {
  readonly #parts: HostEnforcerParts;
  #policies: AcceptedPolicies;
  #keyring: Keyring;
  readonly #lives = new Map<string, ScopeLife>();
  readonly #outbox: ReportOutbox;
  readonly #startedUs: number;
  #memory: EnforcerMemory;
  #heard: HeardInventory | undefined;
  #wanted: WantedTable | undefined;
  #obstacles: readonly Obstacle[] = [];
  #pending: { policy: HeldPolicy; bytes: Uint8Array } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #tickedMs: number;
  #polledMs = Number.NEGATIVE_INFINITY;
  #preflightMs = Number.NEGATIVE_INFINITY;
  #retriedMs = 0;
  #countedUs: number;
  #isQuarantined = false;
  #isPaused = false;
  readonly #tally = new EnforcementTally();
  #seen: KernelState | undefined; // as read last
  #isOverfull = false; // the table sleeps because of that
  #unwatch: (() => void) | undefined;

  private constructor(parts: HostEnforcerParts) {
    this.#parts = parts;
    this.#memory = readMemory(parts.folder);
    this.#keyring = parts.keyring;
    this.#policies = new AcceptedPolicies(parts.keyring, parts.scopes, new Map(Object.entries(this.#memory.reached)));
    this.#outbox = new ReportOutbox(parts.folder);
    for (const { number, report } of this.#memory.fresh) this.#outbox.put(number, report);
    this.#tickedMs = parts.clock.monotonicMs();
    this.#startedUs = parts.clock.wallMs() * 1000;
    this.#countedUs = this.#startedUs;
  }

  /** Takes up where the last one stopped: what the kernel holds as it should be is left alone. */
  static async start(parts: HostEnforcerParts): Promise<HostEnforcer> {
    const enforcer = new HostEnforcer(parts);
    await enforcer.#do(() => enforcer.#resume());
    enforcer.#unwatch = parts.kernel.watch((state) => {
      // A repair that the kernel refuses is told; the next look tries it again.
      enforcer
        .#do(() => enforcer.#compare(state))
        .catch((error: Error) => enforcer.#tell({ scope: "", code: "kernel-failed", text: error.message }));
    });
    return enforcer;
  }

  #do<T>(job: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(job);
    this.#queue = run.catch(() => {});
    return run;
  }

  #tell(incident: Omit<Incident, "atMs">): void {
    this.#tally.note(incident.code);
    this.#parts.onIncident({ atMs: this.#parts.clock.wallMs(), ...incident });
  }

  #life(policy: HeldPolicy, history: readonly HostRuleset[]): ScopeLife {
    const { kernel, clock, folder } = this.#parts;
    return new ScopeLife(
      {
        kernel,
        clock,
        obstacles: () => this.#obstacles.filter(({ gravity }) => gravity === "refuses").map(({ text }) => text),
        tell: (incident) => this.#tell(incident),
        save: () => this.#save(),
        confirm: (life) => void this.#confirm(life),
        keep: ({ name }) => {
          const order = folder.read(`orders/${name}.signed`);
          if (order !== undefined) folder.write(`confirmed/${name}.signed`, order);
        },
      },
      policy,
      history,
    );
  }

  #save(fresh: EnforcerMemory["fresh"] = []): void {
    this.#memory = {
      ...this.#memory,
      machineBoot: this.#parts.machineBoot,
      isPaused: this.#isPaused,
      scopes: Object.fromEntries([...this.#lives].map(([name, life]) => [name, life.memory])),
      reached: Object.fromEntries(this.#policies.reached()),
      fresh,
    };
    writeMemory(this.#parts.folder, this.#memory);
  }

  async #resume(): Promise<void> {
    const { folder, machineBoot, kernel } = this.#parts;
    const stored = folder.read("inventory.yaml");
    if (stored !== undefined) {
      this.#heard = { inventory: parseInventory(stored.toString("utf8"), "inventory.yaml"), isLocal: true };
    }
    for (const [name, memory] of Object.entries(this.#memory.scopes)) {
      const bytes = folder.read(`orders/${name}.signed`);
      if (bytes === undefined) continue;
      const policy = restorePolicy(bytes);
      const life = this.#life(policy, this.#approved(policy));
      // Spans of another boot's clock say nothing: a lease of then is over.
      const isSameBoot = this.#memory.machineBoot === machineBoot;
      life.memory = isSameBoot || memory.leaseUntilMs === undefined ? memory : { ...memory, leaseUntilMs: 0 };
      this.#lives.set(name, life);
    }
    await this.#preflight();
    if (this.#lives.size === 0) return;
    this.#wanted = this.#render();
    const state = await kernel.readBack();
    // Somebody may have paused, resumed or cut off the host, with a line of nft, while nobody of ours ran.
    this.#isPaused = this.#memory.isPaused;
    this.#isQuarantined = [...this.#lives.values()].some(({ memory }) => memory.state.phase === "quarantine");
    await this.#compare(state);
    // Writes nothing where all is well; from here on the kernel's reader knows what it counts.
    if (!this.#isRefused) await kernel.load(this.#wanted as WantedTable);
    for (const life of this.#lives.values()) {
      // Died between taking an order and noting so: what the order before it permitted is not known any more.
      const isNoted = life.memory.state.generation === life.policy.order.generation;
      if (!isNoted) await life.apply({ kind: "accepted", change: "narrower" });
      await life.apply({ kind: "loaded" });
    }
  }

  #approved({ order, inventory }: HeldPolicy): HostRuleset[] {
    const ruleset = rulesetOf(this.#parts.host, order.policySet, inventory);
    return ruleset === undefined ? [] : [ruleset];
  }

  /** @param more a policy that may be in force soon */
  #surroundings(...more: readonly HeldPolicy[]): Inventory | undefined {
    return surroundingsOf(this.#heard, [...[...this.#lives.values()].map(({ policy }) => policy), ...more]);
  }

  #render(instead?: HeldPolicy): WantedTable | undefined {
    const inventory = instead === undefined ? this.#surroundings() : this.#surroundings(instead);
    if (inventory === undefined) return undefined;
    const sets = new Map([...this.#lives].map(([name, { policy }]) => [name, policy.order.policySet]));
    if (instead !== undefined) sets.set(instead.order.scope, instead.order.policySet);
    return this.#parts.render([...sets.values()], inventory);
  }

  async #preflight(): Promise<void> {
    this.#preflightMs = this.#parts.clock.monotonicMs();
    const before = new Set(this.#obstacles.map(({ code }) => code));
    this.#obstacles = await this.#parts.kernel.preflight();
    for (const { code, text } of this.#obstacles)
      if (!before.has(code)) this.#tell({ scope: "", code: "obstacle", text });
  }

  get #isRefused(): boolean {
    return this.#obstacles.some(({ gravity }) => gravity === "refuses");
  }

  /** Other keys count from now on; what is in force stays. */
  setKeyring(keyring: Keyring): Promise<void> {
    return this.#do(async () => {
      this.#keyring = keyring;
      this.#policies = new AcceptedPolicies(keyring, this.#parts.scopes, this.#policies.reached());
    });
  }

  /** An order as it came. `scope` is the key that it was delivered under, where there is one. */
  offer(bytes: Uint8Array, scope?: string): Promise<Answer> {
    return this.#do(async () => {
      const offer = await this.#policies.offer(bytes, this.#parts.clock.wallMs(), scope);
      if (offer.kind === "refused") {
        this.#tell({ scope: scope ?? "", code: "order-refused", text: `${offer.error.code}: ${offer.error.message}` });
        return refused(`${offer.error.code}: ${offer.error.message}`);
      }
      const { order, hash } = offer.policy;
      if (this.#lives.get(order.scope)?.policy.hash === hash) return done(`"${order.scope}" is in force already`);
      return await this.#adopt(offer.policy, bytes);
    });
  }

  async #adopt(policy: HeldPolicy, bytes: Uint8Array): Promise<Answer> {
    const { scope, generation } = policy.order;
    const name = `policy "${scope}" generation ${generation}`;
    const life = this.#lives.get(scope);
    const inventory = this.#surroundings(policy) ?? policy.inventory;
    const { host } = this.#parts;
    const after = rulesetOf(host, policy.order.policySet, inventory);
    if (after === undefined || after.directions.length === 0) {
      if (life === undefined) return done(`${name} isolates nothing here`);
    }
    const before = life === undefined ? undefined : rulesetOf(host, life.policy.order.policySet, inventory);
    const isWider = before !== undefined && after !== undefined && permitsAllOf(after, before);
    const change = life === undefined ? "first" : isWider ? "wider" : "narrower";
    this.#pending = { policy, bytes };
    if (this.#isRefused) {
      this.#save();
      return refused(
        `${name} waits: this host cannot be protected (${this.#obstacles.map(({ text }) => text).join("; ")})`,
      );
    }
    try {
      // What is narrower may drop what was good: nothing is dropped until it was audited.
      if (change === "narrower") await this.#parts.kernel.dropLease(scope);
      const wanted = this.#render(policy);
      if (wanted === undefined) return refused(`${name} waits for an inventory`);
      await this.#parts.kernel.load(wanted);
      this.#wanted = wanted;
    } catch (error) {
      const text = `${name} was not loaded, what was in force stays: ${(error as Error).message}`;
      this.#tell({ scope, code: "load-failed", text });
      this.#save();
      return refused(text);
    }
    this.#pending = undefined;
    this.#parts.folder.write(`orders/${scope}.signed`, bytes);
    const next = life ?? this.#life(policy, []);
    next.policy = policy;
    next.history = [...this.#approved(policy), ...(before === undefined ? [] : [before])];
    this.#lives.set(scope, next);
    await next.apply({ kind: "accepted", change });
    await next.apply({ kind: "loaded" });
    this.#save();
    return done(`${name} is loaded (${change}), ${next.memory.state.phase}`);
  }

  /**
   * A new inventory: addresses move within the labels that were signed. One that leaves this host without a ruleset is not
   * taken over. `local`: a file of this host's own, rather than what came by a carrier.
   */
  setInventory(inventory: Inventory, from: "local" | "carrier"): Promise<Answer> {
    return this.#do(async () => {
      const before = this.#heard;
      this.#heard = { inventory, isLocal: from === "local" };
      try {
        if (this.#lives.size > 0 && !this.#isRefused) {
          const wanted = this.#render() as WantedTable;
          const isNew = wanted.hash !== this.#wanted?.hash && (await this.#parts.kernel.load(wanted)) === "loaded";
          this.#wanted = wanted;
          if (isNew) await this.#applyAll(() => ({ kind: "moved" }));
        }
      } catch (error) {
        this.#heard = before;
        const text = `inventory was not taken over, the last one stays: ${(error as Error).message}`;
        this.#tell({ scope: "", code: "load-failed", text });
        return refused(text);
      }
      this.#parts.folder.write("inventory.yaml", formatInventory(this.#surroundings() ?? inventory));
      return this.#pending === undefined ? done("inventory taken over") : await this.#retry();
    });
  }

  /** A stage order as it came: how far the rollout of a policy may go. */
  stage(bytes: Uint8Array, scope?: string): Promise<Answer> {
    return this.#do(async () => {
      const { scopes, clock } = this.#parts;
      let order: StageOrder;
      try {
        order = await verifyStage(bytes, {
          keyring: this.#keyring,
          nowMs: clock.wallMs(),
          ...(scopes === undefined ? {} : { scopes }),
          ...(scope === undefined ? {} : { scope }),
        });
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        this.#tell({ scope: scope ?? "", code: "order-refused", text: `${error.code}: ${error.message}` });
        return refused(`${error.code}: ${error.message}`);
      }
      const last = this.#memory.stageSequences[order.scope] ?? 0;
      if (order.sequence <= last) return refused(`replayed: stage order ${order.sequence} of "${order.scope}"`);
      const life = this.#lives.get(order.scope);
      if (life === undefined || life.policy.hash !== order.policyHash) {
        return refused(`stage order of "${order.scope}" is for a policy that is not in force here`);
      }
      this.#memory = {
        ...this.#memory,
        stageSequences: { ...this.#memory.stageSequences, [order.scope]: order.sequence },
      };
      const { stage, sequence, generation } = order;
      life.memory = { ...life.memory, stage: { stage, sequence, generation } };
      this.#save();
      const isMeant = this.#isMeant(life);
      if (!isMeant && life.drops)
        await life.apply({ kind: "rollback", reason: `stage ${stage} does not hold this host` });
      else if (isMeant) await this.#promoteByOrder(life);
      return done(`stage ${stage} of "${order.scope}": ${life.memory.state.phase}`);
    });
  }

  #isMeant({ name, policy, memory }: ScopeLife): boolean {
    if (memory.stage === undefined || memory.stage.generation !== policy.order.generation) return false;
    return isInStage(memory.stage.stage, name, this.#parts.host, policy.order.settings.canaries);
  }

  async #promoteByOrder(life: ScopeLife): Promise<void> {
    const { state, stage, heldSequence } = life.memory;
    const isNewWord = (stage?.sequence ?? 0) > heldSequence;
    const isDue = state.phase === "ready" || (state.phase === "rollback" && isNewWord && state.waitsForHuman);
    if (isDue) await life.apply({ kind: "promote", by: isNewWord && state.waitsForHuman ? "human" : "order" });
  }

  async #applyAll(eventFor: (life: ScopeLife) => ScopeEvent): Promise<void> {
    for (const life of this.#lives.values()) await life.apply(eventFor(life));
  }

  /** To be called about every second. */
  tick(): Promise<void> {
    return this.#do(async () => {
      const { clock, pollEveryMs } = this.#parts;
      const now = clock.monotonicMs();
      const elapsedMs = Math.max(0, now - this.#tickedMs);
      this.#tickedMs = now;
      for (const life of this.#lives.values()) await life.tick(elapsedMs);
      for (const life of this.#lives.values()) if (this.#isMeant(life)) await this.#promoteByOrder(life);
      if (now - this.#preflightMs >= PREFLIGHT_EVERY_MS) await this.#preflight();
      if (now - this.#polledMs >= pollEveryMs && this.#lives.size > 0) {
        await this.#poll();
        await this.#compare(await this.#parts.kernel.readBack());
      }
      if (this.#pending !== undefined && now - this.#retriedMs >= RETRY_EVERY_MS) await this.#retry();
    });
  }

  async #retry(): Promise<Answer> {
    this.#retriedMs = this.#parts.clock.monotonicMs();
    const pending = this.#pending;
    return pending === undefined ? done("nothing waits") : await this.#adopt(pending.policy, pending.bytes);
  }

  /** Reads what the kernel counted, makes it durable, then judges it. */
  async #poll(): Promise<void> {
    const { kernel, clock } = this.#parts;
    this.#polledMs = clock.monotonicMs();
    const counts = await kernel.counts();
    const untilUs = clock.wallMs() * 1000;
    const state = counts.length === 0 ? undefined : await kernel.readBack();
    const fresh: { number: number; report: VerdictReport }[] = [];
    let number = this.#memory.nextReport;
    for (const count of counts) {
      for (const report of this.#reportsOf(count, state, untilUs, number)) fresh.push({ number: number++, report });
    }
    this.#countedUs = untilUs;
    this.#memory = { ...this.#memory, baseline: kernel.baseline(), nextReport: number };
    this.#save(fresh);
    for (const { number, report } of fresh) this.#outbox.put(number, report);
    this.#tally.add(counts);
    for (const { scope, edges, unrecorded, permits } of counts) {
      const life = this.#lives.get(scope);
      if (life === undefined) continue;
      const judged = judgeEdges(edges, life.policy.order.settings.dispositions, life.history);
      const permitted = permits.reduce((sum, { packets }) => sum + packets, 0);
      await life.apply({ kind: "counted", ...judged, unrecorded, permitted });
    }
  }

  #reportsOf(counts: ScopeCounts, kernel: KernelState | undefined, untilUs: number, sequence: number): VerdictReport[] {
    const { host, enforcer, boot } = this.#parts;
    const phase = this.#lives.get(counts.scope)?.memory.state.phase ?? "approved";
    const lease = kernel?.scopes.find(({ scope }) => scope === counts.scope)?.leaseRemainingMs;
    const fromUs = Math.min(this.#countedUs, untilUs);
    return verdictReportsOf(counts, { host, enforcer, boot, fromUs, untilUs, phase, lease }, sequence);
  }

  /** Asks whether all is well, outside of the queue, and hears the answer inside of it. */
  async #confirm(life: ScopeLife): Promise<void> {
    const { prober, kernel, host } = this.#parts;
    const question = ++life.question;
    const { settings } = life.policy.order;
    const inventory = this.#surroundings();
    let reasons: readonly string[];
    try {
      reasons = await prober.ask({
        controllers: [...(this.#parts.controllers ?? []), ...(inventory?.lifelines.controllers ?? [])],
        families: settings.families,
        probes: settings.probes.filter(({ hosts }) => hosts === undefined || hosts.includes(host)),
        timeoutMs: Math.max(100, Math.min(5000, settings.trialLeaseMs / 4)),
      });
    } catch (error) {
      reasons = [`cannot ask: ${(error as Error).message}`];
    }
    await this.#do(async () => {
      if (question !== life.question || this.#lives.get(life.name) !== life) return;
      try {
        await this.#compare(await kernel.readBack());
        if (life.drops && question === life.question) await this.#poll();
      } catch (error) {
        reasons = [...reasons, `cannot read the kernel: ${(error as Error).message}`];
      }
      // What was found may have led elsewhere, where this answer means nothing.
      if (question !== life.question) return;
      await life.apply(reasons.length === 0 ? { kind: "confirmed" } : { kind: "unconfirmed", reasons });
    }).catch((error: Error) => this.#tell({ scope: life.name, code: "kernel-failed", text: error.message }));
  }

  /** Holds the kernel against what it should be, and mends what is not. Writes nothing where all is as it should be. */
  async #compare(state: KernelState): Promise<void> {
    this.#seen = state;
    if (this.#lives.size === 0 || this.#wanted === undefined) return;
    // Also where the preflight refuses: three quarters of the connections are an obstacle, and this is the way out.
    if (state.table === "ours" && (await this.#spareConnections(state))) return;
    if (this.#isRefused) return;
    // Each of these may change leases, of which `state` knows nothing: the rest is for the next look.
    if (state.isQuarantined !== this.#isQuarantined) {
      this.#isQuarantined = state.isQuarantined;
      return await this.#applyAll(() => ({ kind: state.isQuarantined ? "quarantine" : "release" }));
    }
    if (state.table === "ours" && state.isDormant !== this.#isPaused) {
      this.#isPaused = state.isDormant;
      return await this.#applyAll(() => ({ kind: state.isDormant ? "pause" : "resume" }));
    }
    if (state.isLoading) return await this.#finishLoad();
    if (state.table !== "ours") return await this.#repair("gone");
    if (!state.isIntact) return await this.#repair("tampered");
    if (state.wanted !== this.#wanted.hash) return await this.#repair("stale");
    for (const life of this.#lives.values()) {
      await life.compareLease(state.scopes.find(({ scope }) => scope === life.name));
    }
  }

  /**
   * A host whose table of connections is nearly full loses new connections: our table, which makes the kernel track them,
   * sleeps until there is room again.
   */
  async #spareConnections({ connections, isDormant }: KernelState): Promise<boolean> {
    if (connections === undefined) return false;
    const part = connections.taken / connections.most;
    const isToSleep = !isDormant && part >= NEARLY_FULL;
    if (!isToSleep && !(this.#isOverfull && isDormant && part < ROOM_AGAIN)) return false;
    this.#isOverfull = isToSleep;
    this.#isPaused = isToSleep;
    await this.#parts.kernel.dormant(isToSleep);
    const text = `${connections.taken} of ${connections.most} connections are tracked; our table ${isToSleep ? "sleeps" : "is awake again"}`;
    this.#tell({ scope: "", code: "connections-full", text });
    await this.#applyAll(() => ({ kind: isToSleep ? "pause" : "resume" }));
    return true;
  }

  /** Finishes what a predecessor began. */
  async #finishLoad(): Promise<void> {
    await this.#parts.kernel.load(this.#wanted as WantedTable);
    await this.#applyAll(() => ({ kind: "loaded" }));
  }

  async #repair(how: "gone" | "tampered" | "stale"): Promise<void> {
    const { kernel } = this.#parts;
    await kernel.dropLease();
    await kernel.load(this.#wanted as WantedTable);
    if (this.#isPaused) await kernel.dormant(true);
    await this.#applyAll(() => ({ kind: "drifted", how }));
    await this.#applyAll(() => ({ kind: "loaded" }));
  }

  #named(scope: string | undefined): ScopeLife[] {
    return scope === undefined ? [...this.#lives.values()] : [this.#lives.get(scope) ?? []].flat();
  }

  /** By somebody on this host, who need give no reason and no signature: root could do the same with nft. */
  promote(scope: string): Promise<Answer> {
    return this.#do(async () => {
      const life = this.#lives.get(scope);
      if (life === undefined) return refused(`no policy "${scope}" is in force here`);
      const unmet = await life.apply({ kind: "promote", by: "human" });
      if (unmet.length > 0) return refused(`"${scope}" is not ready`, unmet);
      return done(`"${scope}" is in ${life.memory.state.phase}`);
    });
  }

  rollback(scope: string | undefined, reason: string): Promise<Answer> {
    return this.#do(async () => {
      const lives = this.#named(scope);
      for (const life of lives) await life.apply({ kind: "rollback", reason });
      return lives.length === 0
        ? refused("no such policy is in force here")
        : done("nothing is dropped; waits for a human");
    });
  }

  /** Without a scope the whole table sleeps; with one, its lease is taken away and not renewed. */
  pause(scope: string | undefined): Promise<Answer> {
    return this.#do(async () => {
      if (scope === undefined) {
        this.#isPaused = true;
        await this.#parts.kernel.dormant(true);
      }
      for (const life of this.#named(scope)) await life.apply({ kind: "pause" });
      return done(scope === undefined ? "paused: nothing is judged" : `"${scope}" is paused`);
    });
  }

  resume(scope: string | undefined): Promise<Answer> {
    return this.#do(async () => {
      if (scope === undefined) {
        this.#isPaused = false;
        await this.#parts.kernel.dormant(false);
      }
      for (const life of this.#named(scope)) await life.apply({ kind: "resume" });
      return done("resumed");
    });
  }

  /** Cuts the host off but for management and controllers; undefined ends it. */
  quarantine(wish: Pick<QuarantineWish, "lease"> | undefined): Promise<Answer> {
    return this.#do(async () => {
      const { kernel } = this.#parts;
      if (wish === undefined) {
        await kernel.quarantine(undefined);
        this.#isQuarantined = false;
        await this.#applyAll(() => ({ kind: "release" }));
        return done("quarantine ended");
      }
      const { management = [], controllers = [] } = this.#surroundings()?.lifelines ?? {};
      await kernel.quarantine({ ...wish, management, controllers });
      this.#isQuarantined = true;
      await this.#applyAll(() => ({ kind: "quarantine" }));
      return done("in quarantine: only management and controllers reach this host");
    });
  }

  identity(): { enforcer: string; boot: string; startedUs: number } {
    const { enforcer, boot } = this.#parts;
    return { enforcer, boot, startedUs: this.#startedUs };
  }

  /** Verdict reports on their way. */
  reports(): { waiting: number; bytes: number; lost: number } {
    return this.#outbox.totals();
  }

  async status() {
    const kernel = await this.#parts.kernel.readBack();
    const { host, enforcer, boot } = this.#parts;
    return {
      host,
      enforcer,
      boot,
      startedUs: this.#startedUs,
      table: kernel.table,
      isIntact: kernel.isIntact,
      isPaused: kernel.isDormant,
      isQuarantined: kernel.isQuarantined,
      obstacles: this.#obstacles,
      reports: this.#outbox.totals(),
      scopes: [...this.#lives.values()].map((life) => scopeStatus(life, kernel)),
    };
  }

  /** What is known without asking the kernel, for metrics. */
  figures(): EnforcerFigures {
    return {
      kernel: this.#seen,
      obstacles: this.#obstacles,
      reports: this.#outbox.totals(),
      countedUs: this.#polledMs === Number.NEGATIVE_INFINITY ? undefined : this.#countedUs,
      incidents: this.#tally.incidents(),
      scopes: [...this.#lives.values()].map((life) => scopeFigures(life, this.#seen, this.#tally.of(life.name))),
    };
  }

  /** Hands over the verdict reports that wait. */
  flush(sink: ReportSink): Promise<void> {
    return this.#outbox.flush(sink);
  }

  /** Leaves everything in the kernel as it is: leases run out by themselves. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    await this.#do(async () => {
      if (this.#lives.size > 0) await this.#poll();
    }).catch(() => {});
  }
}

export type HostStatus = Awaited<ReturnType<HostEnforcer["status"]>>;
