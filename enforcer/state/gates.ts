import type { Gate, ScopeRules, ScopeState } from "./scope-state.js";

/** `3 d 4 h`, `15 min`, `90 s`: two units at most. */
export function spanText(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
    [1, "ms"],
  ];
  const first = units.findIndex(([size]) => ms >= size);
  if (first < 0) return "0 s";
  const [size, unit] = units[first]!;
  const whole = `${Math.floor(ms / size)} ${unit}`;
  const next = units[first + 1];
  const rest = next === undefined || size === 1000 ? 0 : Math.floor((ms % size) / next[0]);
  return rest === 0 ? whole : `${whole} ${rest} ${next![1]}`;
}

/** What must hold before deny is tried, each with what it is now. Sorted as people should work on them. */
export function gatesOf(state: ScopeState, rules: ScopeRules): Gate[] {
  const { settings } = rules;
  const gate = (name: string, isMet: boolean, value: string, wanted: string): Gate => ({ name, isMet, value, wanted });
  const atLeast = (name: string, ms: number, wanted: number) =>
    gate(name, ms >= wanted, spanText(ms), `at least ${spanText(wanted)}`);
  const { obstacles } = rules;
  return [
    gate("signed for deny", rules.mode === "deny", rules.mode, "deny"),
    gate("order not expired", !rules.isExpired, rules.isExpired ? "expired" : "valid", "valid"),
    gate("host can be protected", obstacles.length === 0, obstacles.length === 0 ? "yes" : obstacles.join("; "), "yes"),
    gate(
      "phase",
      state.phase === "audit" || state.phase === "ready" || state.phase === "rollback",
      state.phase,
      "audit or ready",
    ),
    atLeast("audited", state.auditedMs, settings.auditMs),
    gate("traffic seen", state.hasTraffic, state.hasTraffic ? "yes" : "no", "a packet that a rule permits"),
    atLeast("nothing unexpected", state.quietMs, settings.quietMs),
    atLeast("every attempt noted", state.completeMs, Math.min(settings.quietMs, settings.auditMs)),
    gate("controller and probes answer", state.answers === "yes", state.answers, "yes"),
    gate(
      "trials taken back",
      state.failures < 2 && !state.waitsForHuman,
      `${state.failures}${state.waitsForHuman ? ", waits for a human" : ""}`,
      "fewer than 2, or promoted by a human",
    ),
  ];
}

export function unmetGates(state: ScopeState, rules: ScopeRules): Gate[] {
  return gatesOf(state, rules).filter((gate) => !gate.isMet);
}
