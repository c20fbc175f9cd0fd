import type { EnforcementState } from "../../model/verdict-report.js";
import { spanText, unmetGates } from "./gates.js";
import type { IncidentCode, ScopeAction, ScopeEvent, ScopeRules, ScopeState, Transition } from "./scope-state.js";

/**
 * The life of one policy on one host. The kernel drops in `trial` and `deny` alone, and there only as long as its lease.
 *
 *     proposed -> simulated -> approved -> warm-up -> audit <-> ready -> trial -> deny
 *                                             ^          ^                |        |
 *                    table gone: begin again -'          '---- rollback <-'--------'  (lease first, words later)
 *
 *     from any:  pause -> paused -> resume      quarantine -> quarantine -> release
 *
 * In `trial` doubt opens: a probe that is silent, good traffic dropped. In `deny` nothing that comes by network does, or a
 * scan and an outage would be the way to open a host; only silence beyond `maxOfflineMs` may, where the order says so.
 */
export function transition(state: ScopeState, event: ScopeEvent, rules: ScopeRules): Transition {
  switch (event.kind) {
    case "simulated":
      return state.phase === "proposed" ? to(state, "simulated") : stay(state);
    case "accepted":
      return accepted(state, event.change, rules);
    case "loaded":
      return state.phase === "approved" ? to(state, "warm-up") : stay(state);
    case "moved":
      return drops(state) ? stay({ ...state, isUnconfirmed: true, askedMs: 0 }, CONFIRM) : stay(state);
    case "tick":
      return tick(state, event.elapsedMs, rules);
    case "counted":
      return counted(state, event, rules);
    case "confirmed":
      return confirmed({ ...state, answers: "yes", offlineMs: 0 }, rules);
    case "unconfirmed":
      return unconfirmed({ ...state, answers: "no" }, event.reasons, rules);
    case "promote":
      return promote(state, event.by, rules);
    case "rollback":
      return rollback(state, event.reason);
    case "pause":
      return state.phase === "paused" || state.phase === "quarantine" ? stay(state) : aside(state, "paused");
    case "quarantine":
      return state.phase === "quarantine" ? stay(state) : aside(state, "quarantine");
    case "resume":
      return state.phase === "paused" ? back(state, rules) : stay(state);
    case "release":
      return state.phase === "quarantine" ? back(state, rules) : stay(state);
    case "lease-lost":
      return leaseLost(state, event.how, rules);
    case "drifted":
      return drifted(state, event.how, rules);
  }
}

/** Whether the kernel may drop on behalf of the policy. */
export function drops({ phase }: Pick<ScopeState, "phase">): boolean {
  return phase === "trial" || phase === "deny";
}

const DROP: ScopeAction = { kind: "drop-lease" };
const CONFIRM: ScopeAction = { kind: "confirm" };
const incident = (code: IncidentCode, text: string): ScopeAction => ({ kind: "incident", code, text });

function stay(state: ScopeState, ...actions: ScopeAction[]): Transition {
  return { state, actions };
}

function to(state: ScopeState, phase: EnforcementState, ...actions: ScopeAction[]): Transition {
  return { state: { ...state, phase, inPhaseMs: 0, isSuspect: false }, actions };
}

function toTrial(state: ScopeState, { settings }: ScopeRules, ...first: ScopeAction[]): Transition {
  const next = { ...state, askedMs: 0, returnsToTrial: false };
  return to(next, "trial", ...first, { kind: "lease", life: settings.trialLeaseMs }, CONFIRM);
}

function denyLease({ settings }: ScopeRules): ScopeAction {
  return { kind: "lease", life: settings.onSilence === "fail-static" ? "permanent" : settings.leaseMs };
}

/** Content that was not audited yet. */
const UNAUDITED = { auditedMs: 0, quietMs: 0, completeMs: 0, hasTraffic: false, failures: 0, waitsForHuman: false };

function accepted(state: ScopeState, change: "first" | "wider" | "narrower", rules: ScopeRules): Transition {
  const next = { ...state, generation: rules.generation };
  switch (state.phase) {
    case "proposed":
    case "simulated":
      return to(next, "approved");
    case "approved":
    case "warm-up":
      return stay(next);
    case "audit":
    case "ready":
    case "rollback":
      if (change === "wider") return to({ ...next, failures: 0, waitsForHuman: false }, "audit");
      return to({ ...next, ...UNAUDITED }, "audit");
    case "trial":
    case "deny":
      if (change !== "wider" || rules.mode === "audit") return to({ ...next, ...UNAUDITED }, "audit", DROP);
      return toTrial({ ...next, failures: 0 }, rules);
    case "paused":
    case "quarantine": {
      if (change === "wider" && rules.mode === "deny") return stay(next);
      const before = next.before.map((phase) => (isAudited(phase) ? "audit" : phase));
      return stay({ ...next, ...UNAUDITED, before, returnsToTrial: false }, DROP);
    }
  }
}

function isAudited(phase: EnforcementState): boolean {
  return phase === "ready" || phase === "trial" || phase === "deny" || phase === "rollback";
}

function tick(state: ScopeState, elapsedMs: number, rules: ScopeRules): Transition {
  const { settings } = rules;
  const isAuditing = state.phase === "audit" || state.phase === "ready";
  const isCounting = isAuditing || state.phase === "rollback";
  const next: ScopeState = {
    ...state,
    inPhaseMs: state.inPhaseMs + elapsedMs,
    askedMs: state.askedMs + elapsedMs,
    offlineMs: state.offlineMs + elapsedMs,
    auditedMs: state.auditedMs + (isAuditing ? elapsedMs : 0),
    quietMs: state.quietMs + (isCounting ? elapsedMs : 0),
    completeMs: state.completeMs + (isCounting ? elapsedMs : 0),
  };
  const due = (everyMs: number): Transition =>
    next.askedMs >= everyMs ? stay({ ...next, askedMs: 0 }, CONFIRM) : stay(next);
  switch (state.phase) {
    case "warm-up":
      if (next.inPhaseMs < settings.warmUpMs) return stay(next);
      if (next.returnsToTrial && rules.mode === "deny") return toTrial(next, rules);
      return to({ ...next, quietMs: 0, completeMs: 0, returnsToTrial: false }, "audit", CONFIRM);
    case "audit":
    case "ready": {
      const isReady = unmetGates(next, rules).length === 0;
      if (isReady !== (state.phase === "ready")) return to(next, isReady ? "ready" : "audit");
      return due(Math.min(settings.trialLeaseMs, settings.quietMs) / 2);
    }
    case "rollback":
      // One failure may be chance: after as much quiet as any trial wants, the policy may be tried once more.
      if (!next.waitsForHuman && next.inPhaseMs >= settings.quietMs) return to(next, "audit", CONFIRM);
      // Asked all the same: a human may promote from here, where everybody answers.
      return due(Math.min(settings.trialLeaseMs, settings.quietMs) / 2);
    case "trial":
      return due(settings.trialLeaseMs / 3);
    case "deny":
      return due(settings.leaseMs / 3);
    case "proposed":
    case "simulated":
    case "approved":
    case "paused":
    case "quarantine":
      return stay(next);
  }
}

type Counted = Extract<ScopeEvent, { kind: "counted" }>;

function counted(
  state: ScopeState,
  { unexpected, good, unrecorded, permitted }: Counted,
  rules: ScopeRules,
): Transition {
  const next: ScopeState = {
    ...state,
    hasTraffic: state.hasTraffic || permitted > 0,
    quietMs: unexpected > 0 ? 0 : state.quietMs,
    completeMs: unrecorded > 0 ? 0 : state.completeMs,
  };
  const incomplete =
    unrecorded > 0 ? [incident("counts-incomplete", `${unrecorded} attempts that no kernel set had room for`)] : [];
  switch (state.phase) {
    case "warm-up":
      // Nothing is judged before connections are known.
      return stay({ ...state, hasTraffic: next.hasTraffic });
    case "audit":
    case "rollback":
      return stay(next, ...incomplete);
    case "ready":
      return unexpected > 0 || unrecorded > 0 ? to(next, "audit", ...incomplete) : stay(next);
    case "trial":
      if (good > 0) return failed(next, `${good} attempts dropped that history had marked good`, ...incomplete);
      if (unexpected > rules.settings.dropBudget) {
        return failed(
          next,
          `${unexpected} attempts dropped, the budget is ${rules.settings.dropBudget}`,
          ...incomplete,
        );
      }
      return stay(next, ...incomplete);
    case "deny":
      if (good === 0) return stay(next, ...incomplete);
      return stay(
        next,
        incident("good-traffic-dropped", `${good} attempts that history had marked good`),
        ...incomplete,
      );
    case "proposed":
    case "simulated":
    case "approved":
    case "paused":
    case "quarantine":
      return stay(state);
  }
}

/** A trial that is taken back: the lease goes first. */
function failed(state: ScopeState, why: string, ...more: ScopeAction[]): Transition {
  const failures = state.failures + 1;
  const waitsForHuman = state.waitsForHuman || failures >= 2;
  const text = `${why}; ${waitsForHuman ? "waits for a human" : "may be tried once more"}`;
  return to(
    { ...state, failures, waitsForHuman, quietMs: 0 },
    "rollback",
    DROP,
    incident("trial-failed", text),
    ...more,
  );
}

function confirmed(state: ScopeState, rules: ScopeRules): Transition {
  const { settings } = rules;
  if (state.phase === "trial") {
    if (state.inPhaseMs < settings.trialMs) {
      return stay({ ...state, isUnconfirmed: false }, { kind: "lease", life: settings.trialLeaseMs });
    }
    return to({ ...state, isUnconfirmed: false, failures: 0 }, "deny", denyLease(rules), { kind: "keep" });
  }
  if (state.phase !== "deny") return stay(state);
  if (state.isSuspect) {
    const text = "probes were silent in deny and answer without it";
    return failed({ ...state, isSuspect: false }, text, incident("policy-blocks-probe", text));
  }
  const kept: ScopeAction[] = state.isUnconfirmed ? [{ kind: "keep" }] : [];
  return stay({ ...state, isUnconfirmed: false }, denyLease(rules), ...kept);
}

function unconfirmed(state: ScopeState, reasons: readonly string[], rules: ScopeRules): Transition {
  const { settings } = rules;
  const why = reasons.join("; ");
  if (state.phase === "trial") return failed(state, why);
  if (state.phase !== "deny") return stay(state);
  if (state.isUnconfirmed && !state.isSuspect) {
    // Addresses moved and somebody fell silent: one look without the lease tells whether we are the reason.
    return stay({ ...state, isSuspect: true, askedMs: 0 }, DROP, CONFIRM);
  }
  const innocent = { ...state, isSuspect: false, isUnconfirmed: false };
  if (state.offlineMs >= settings.maxOfflineMs && settings.onSilence === "fail-open") {
    const text = `nobody answered for ${spanText(state.offlineMs)}: ${why}`;
    return to(innocent, "audit", DROP, incident("offline", text));
  }
  return stay(innocent, denyLease(rules), incident("probe-fails", `${why}; deny goes on`));
}

function promote(state: ScopeState, by: "human" | "order", rules: ScopeRules): Transition {
  if (drops(state)) return stay(state);
  const asked = by === "human" ? { ...state, failures: 0, waitsForHuman: false } : state;
  const unmet = unmetGates(asked, rules);
  return unmet.length === 0 ? toTrial(asked, rules) : { state, actions: [], unmet };
}

function rollback(state: ScopeState, reason: string): Transition {
  const told = incident("rolled-back", reason);
  switch (state.phase) {
    case "proposed":
    case "simulated":
    case "approved":
      return stay(state);
    case "paused":
    case "quarantine": {
      const before = state.before.map((phase) => (drops({ phase }) || isAudited(phase) ? "rollback" : phase));
      return stay({ ...state, before, waitsForHuman: true, returnsToTrial: false }, DROP, told);
    }
    case "warm-up":
      return stay({ ...state, returnsToTrial: false, waitsForHuman: true }, DROP, told);
    default:
      return to({ ...state, waitsForHuman: true }, "rollback", DROP, told);
  }
}

function aside(state: ScopeState, phase: "paused" | "quarantine"): Transition {
  return to({ ...state, before: [...state.before, state.phase] }, phase, ...(drops(state) ? [DROP] : []));
}

function back(state: ScopeState, rules: ScopeRules): Transition {
  const phase = state.before.at(-1) ?? "audit";
  const next = { ...state, before: state.before.slice(0, -1) };
  return drops({ phase }) ? toTrial(next, rules) : to(next, phase);
}

function leaseLost(state: ScopeState, how: "expired" | "taken", rules: ScopeRules): Transition {
  if (!drops(state) || state.isSuspect) return stay(state);
  if (how === "taken") {
    const told = incident("lease-taken", "somebody on this host took the lease away; waits for a human");
    return to({ ...state, waitsForHuman: true }, "rollback", DROP, told);
  }
  if (state.phase === "trial") return failed(state, "the lease ran out before a confirmation");
  return toTrial(state, rules, incident("lease-expired", "the lease was not renewed in time; trying anew"));
}

const DRIFTS = {
  gone: incident("table-gone", "somebody removed our table; loaded again, nothing is dropped until it has warmed up"),
  tampered: incident("table-tampered", "somebody changed our table; loaded again"),
  stale: incident("table-stale", "our table was not the one that should be there; loaded anew"),
} as const;

function drifted(state: ScopeState, how: keyof typeof DRIFTS, rules: ScopeRules): Transition {
  const told = DRIFTS[how];
  switch (state.phase) {
    case "proposed":
    case "simulated":
    case "approved":
      return stay(state);
    case "trial":
    case "deny":
      if (how !== "gone") return toTrial(state, rules, DROP, told);
      return to({ ...state, returnsToTrial: true }, "warm-up", DROP, told);
    case "warm-up":
    case "audit":
    case "ready":
    case "rollback":
      return how === "gone" ? to(state, "warm-up", told) : stay(state, told);
    case "paused":
    case "quarantine": {
      if (how !== "gone") return stay(state, told);
      const returnsToTrial = state.returnsToTrial || state.before.some((phase) => drops({ phase }));
      const before = state.before.map((phase) => (phase === "paused" ? phase : "warm-up"));
      return stay({ ...state, returnsToTrial, before }, DROP, told);
    }
  }
}
