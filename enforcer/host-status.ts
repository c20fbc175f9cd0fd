import type { EnforcementState } from "../model/verdict-report.js";
import type { ScopeTally } from "./enforcement-tally.js";
import type { KernelState, Obstacle, ScopeInForce } from "./enforcer-kernel.js";
import type { Incident, ScopeLife } from "./scope-life.js";
import { gatesOf } from "./state/gates.js";

/** How an enforcer fares, as far as it knows at this instant. */
export interface EnforcerFigures {
  readonly kernel: KernelState | undefined; // as read last; absent before that
  readonly obstacles: readonly Obstacle[];
  readonly reports: { readonly waiting: number; readonly lost: number };
  readonly countedUs: number | undefined; // when the counts were read last
  readonly incidents: ReadonlyMap<Incident["code"], number>;
  readonly scopes: readonly ScopeFigures[];
}

export interface ScopeFigures {
  readonly scope: string;
  readonly phase: EnforcementState;
  readonly generation: number;
  readonly failures: number;
  readonly waitsForHuman: boolean;
  readonly unmet: number; // gates
  readonly inForce: ScopeInForce | undefined;
  readonly tally: ScopeTally;
}

export function scopeFigures(life: ScopeLife, kernel: KernelState | undefined, tally: ScopeTally): ScopeFigures {
  const { phase, generation, failures, waitsForHuman } = life.memory.state;
  return {
    ...{ scope: life.name, phase, generation, failures, waitsForHuman, tally },
    unmet: gatesOf(life.memory.state, life.rules()).filter(({ isMet }) => !isMet).length,
    inForce: kernel?.scopes.find(({ scope }) => scope === life.name),
  };
}

/** What `portolan status` shows of one policy. */
export function scopeStatus(life: ScopeLife, kernel: KernelState) {
  const { state, stage } = life.memory;
  const lease = kernel.scopes.find(({ scope }) => scope === life.name)?.leaseRemainingMs;
  return {
    scope: life.name,
    generation: state.generation,
    hash: life.policy.hash,
    phase: state.phase,
    ...(lease === undefined ? {} : { lease }),
    ...(stage === undefined ? {} : { stage: stage.stage }),
    failures: state.failures,
    waitsForHuman: state.waitsForHuman,
    gates: gatesOf(state, life.rules()),
  };
}
