import type { ScopeCounts } from "./enforcer-kernel.js";
import type { Incident } from "./scope-life.js";

/** Sums of one policy set since this process began. */
export interface ScopeTally {
  readonly audited: number; // attempts that deny would have dropped
  readonly denied: number; // attempts that were dropped
  readonly deniedPackets: number;
  readonly permitted: number; // first packets of connections
  readonly unrecorded: number;
}

const NOTHING: ScopeTally = { audited: 0, denied: 0, deniedPackets: 0, permitted: 0, unrecorded: 0 };

/** What an enforcer counted and met since it began; for its metrics, never for a decision. */
export class EnforcementTally {
  readonly #scopes = new Map<string, ScopeTally>();
  readonly #incidents = new Map<Incident["code"], number>();

  add(counts: readonly ScopeCounts[]): void {
    for (const { scope, edges, counters, permits, unrecorded } of counts) {
      const { audited, denied, deniedPackets, permitted, unrecorded: before } = this.of(scope);
      const attempts = (verdict: "audited" | "denied") =>
        edges.reduce((sum, edge) => sum + (edge.verdict === verdict ? edge.attempts : 0), 0);
      this.#scopes.set(scope, {
        audited: audited + attempts("audited"),
        denied: denied + attempts("denied"),
        deniedPackets: deniedPackets + counters.denied,
        permitted: permitted + permits.reduce((sum, { packets }) => sum + packets, 0),
        unrecorded: before + unrecorded,
      });
    }
  }

  note(code: Incident["code"]): void {
    this.#incidents.set(code, (this.#incidents.get(code) ?? 0) + 1);
  }

  of(scope: string): ScopeTally {
    return this.#scopes.get(scope) ?? NOTHING;
  }

  incidents(): ReadonlyMap<Incident["code"], number> {
    return this.#incidents;
  }
}
