import type { HealthProbe } from "../../policy/trust/enforcement-settings.js";

export interface Controller {
  readonly address: string;
  readonly port: number;
}

export interface Questions {
  readonly controllers: readonly Controller[];
  readonly families: readonly (4 | 6)[]; // in each of which some controller must answer
  readonly probes: readonly HealthProbe[]; // all of which must answer
  readonly timeoutMs: number;
}

/** Asks, each time over a new socket: what is established goes on through a policy that lets nothing new pass. */
export interface Prober {
  /** Why this host may be cut off, one line each; empty when everybody answered. */
  ask(questions: Questions): Promise<readonly string[]>;
}
