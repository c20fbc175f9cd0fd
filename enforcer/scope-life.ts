import type { HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import { modeOf } from "../policy/trust/policy-order.js";
import type { HeldPolicy } from "../policy/trust/restore-policy.js";
import type { Clock } from "./clock.js";
import type { EnforcerKernel, ScopeInForce } from "./enforcer-kernel.js";
import type { ScopeMemory } from "./enforcer-memory.js";
import type { Gate, IncidentCode, ScopeEvent, ScopeRules } from "./state/scope-state.js";
import { NEW_SCOPE } from "./state/scope-state.js";
import { drops, transition } from "./state/transition.js";

/** What a person should know of. */
export interface Incident {
  readonly atMs: number; // wall clock
  readonly scope: string; // "" for the host as a whole
  readonly code: IncidentCode | HostIncidentCode;
  readonly text: string;
}

export type HostIncidentCode =
  | "order-refused"
  | "load-failed"
  | "kernel-failed"
  | "obstacle"
  | "phase"
  | "lease-foreign"
  | "connections-full";

/** What one scope needs of its host. */
export interface ScopeHost {
  readonly kernel: EnforcerKernel;
  readonly clock: Clock;
  readonly obstacles: () => readonly string[];
  readonly tell: (incident: Omit<Incident, "atMs">) => void;
  readonly save: () => void; // durable when it returns
  readonly confirm: (life: ScopeLife) => void;
  readonly keep: (life: ScopeLife) => void;
}

/** The kernel tells what is left of a lease in whole seconds. */
const LEASE_GRAIN_MS = 1100;

/**
 * One policy on this host: carries out what the state machine says. What is to be is durable before the kernel is asked,
 * so that a successor finds either what we did or what we meant to do, and both are safe to go on from.
 */
export class ScopeLife {
  memory: ScopeMemory = { state: NEW_SCOPE, heldSequence: 0 };
  /** Counts up with every question that is asked; an answer to an older one is not heard. */
  question = 0;
  #mustDrop = false;

  constructor(
    private readonly host: ScopeHost,
    public policy: HeldPolicy,
    /** As approved, and as it was before this generation: what history had marked good. */
    public history: readonly HostRuleset[],
  ) {}

  get name(): string {
    return this.policy.order.scope;
  }

  get drops(): boolean {
    return drops(this.memory.state);
  }

  rules(): ScopeRules {
    const { order } = this.policy;
    return {
      generation: order.generation,
      mode: modeOf(order.policySet),
      settings: order.settings,
      isExpired: this.host.clock.wallMs() >= Date.parse(order.expires),
      obstacles: this.host.obstacles(),
    };
  }

  /** @returns What is unmet, of a promotion that was refused. */
  async apply(event: ScopeEvent): Promise<readonly Gate[]> {
    const before = this.memory.state;
    const { state, actions, unmet = [] } = transition(before, event, this.rules());
    this.memory = { ...this.memory, state };
    if (state.phase !== before.phase) {
      if (state.phase === "rollback") {
        this.memory = { ...this.memory, heldSequence: this.memory.stage?.sequence ?? this.memory.heldSequence };
      }
      const text = `${before.phase} -> ${state.phase} (${event.kind}), generation ${state.generation}`;
      this.host.tell({ scope: this.name, code: "phase", text });
    }
    if (state.phase !== before.phase || actions.length > 0) this.host.save();
    for (const action of actions) {
      switch (action.kind) {
        case "lease":
          await this.#lease(action.life);
          break;
        case "drop-lease":
          await this.dropLease();
          break;
        case "confirm":
          this.host.confirm(this);
          break;
        case "keep":
          this.host.keep(this);
          break;
        case "incident":
          this.host.tell({ scope: this.name, code: action.code, text: action.text });
          break;
      }
    }
    return unmet;
  }

  async #lease(life: number | "permanent"): Promise<void> {
    const { kernel, clock } = this.host;
    // Counted from before the kernel is asked: ours ends no later than the kernel's.
    const asked = clock.monotonicMs();
    try {
      await kernel.lease(this.name, life);
    } catch (error) {
      this.host.tell({ scope: this.name, code: "kernel-failed", text: (error as Error).message });
      await this.apply({ kind: "lease-lost", how: "expired" });
      return;
    }
    if (!this.drops) return;
    const { leaseUntilMs: _, ...rest } = this.memory;
    this.memory = life === "permanent" ? rest : { ...rest, leaseUntilMs: asked + life };
    this.host.save();
  }

  /** Until it works: a lease that we cannot take away ends by itself all the same. */
  async dropLease(): Promise<void> {
    const { leaseUntilMs: _, ...rest } = this.memory;
    this.memory = rest;
    try {
      await this.host.kernel.dropLease(this.name);
      this.#mustDrop = false;
    } catch (error) {
      this.#mustDrop = true;
      this.host.tell({ scope: this.name, code: "kernel-failed", text: (error as Error).message });
    }
  }

  async tick(elapsedMs: number): Promise<void> {
    if (this.#mustDrop && !this.drops) await this.dropLease();
    const { leaseUntilMs = Number.POSITIVE_INFINITY, state } = this.memory;
    if (this.drops && !state.isSuspect && this.host.clock.monotonicMs() >= leaseUntilMs) {
      // We hung: the time that nobody looked is none of the new trial's.
      await this.apply({ kind: "lease-lost", how: "expired" });
      return;
    }
    await this.apply({ kind: "tick", elapsedMs });
  }

  /** Holds what the kernel says of our lease against what it should be. */
  async compareLease(inForce: ScopeInForce | undefined): Promise<void> {
    const isAlive = inForce?.leaseRemainingMs !== undefined;
    const { state, leaseUntilMs } = this.memory;
    if (isAlive && (!this.drops || state.isSuspect)) {
      if (!state.isSuspect) {
        this.host.tell({
          scope: this.name,
          code: "lease-foreign",
          text: `a lease lived in ${state.phase}; taken away`,
        });
      }
      await this.dropLease();
      return;
    }
    if (isAlive || !this.drops || state.isSuspect) return;
    const isStatic = this.policy.order.settings.onSilence === "fail-static" && state.phase === "deny";
    const isOver =
      leaseUntilMs === undefined ? !isStatic : this.host.clock.monotonicMs() >= leaseUntilMs - LEASE_GRAIN_MS;
    await this.apply({ kind: "lease-lost", how: isOver ? "expired" : "taken" });
  }
}
