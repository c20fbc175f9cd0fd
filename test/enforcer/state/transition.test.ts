import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  NEW_SCOPE,
  type ScopeEvent,
  type ScopeEventKind,
  type ScopeRules,
  type ScopeState,
  type Transition,
} from "../../../enforcer/state/scope-state.js";
import { drops, transition } from "../../../enforcer/state/transition.js";
import { ENFORCEMENT_STATES, type EnforcementState } from "../../../model/verdict-report.js";
import { DEFAULT_SETTINGS } from "../../../policy/trust/enforcement-settings.js";

const SETTINGS = {
  ...DEFAULT_SETTINGS,
  warmUpMs: 1000,
  auditMs: 10_000,
  quietMs: 5000,
  trialMs: 4000,
  trialLeaseMs: 3000,
  leaseMs: 9000,
  maxOfflineMs: 60_000,
};
const RULES: ScopeRules = { generation: 7, mode: "deny", settings: SETTINGS, isExpired: false, obstacles: [] };

/** A scope in `phase` with every gate met, so that what the table shows is the phase's own answer. */
function at(phase: EnforcementState): ScopeState {
  const aside = phase === "paused" || phase === "quarantine";
  const proven = { auditedMs: 20_000, quietMs: 20_000, completeMs: 20_000, hasTraffic: true, answers: "yes" } as const;
  return { ...NEW_SCOPE, ...proven, generation: 6, phase, before: aside ? ["deny"] : [] };
}

const EVENTS: Record<string, ScopeEvent> = {
  simulated: { kind: "simulated" },
  "accepted first": { kind: "accepted", change: "first" },
  "accepted wider": { kind: "accepted", change: "wider" },
  "accepted narrower": { kind: "accepted", change: "narrower" },
  loaded: { kind: "loaded" },
  moved: { kind: "moved" },
  "tick short": { kind: "tick", elapsedMs: 1 },
  "tick long": { kind: "tick", elapsedMs: 7000 },
  "counted nothing": { kind: "counted", unexpected: 0, good: 0, unrecorded: 0, permitted: 5 },
  "counted unexpected": { kind: "counted", unexpected: 500, good: 0, unrecorded: 0, permitted: 0 },
  "counted good": { kind: "counted", unexpected: 1, good: 1, unrecorded: 0, permitted: 0 },
  "counted unrecorded": { kind: "counted", unexpected: 0, good: 0, unrecorded: 3, permitted: 0 },
  confirmed: { kind: "confirmed" },
  unconfirmed: { kind: "unconfirmed", reasons: ["controller 10.0.0.1 port 7443: timeout"] },
  "promote human": { kind: "promote", by: "human" },
  "promote order": { kind: "promote", by: "order" },
  rollback: { kind: "rollback", reason: "asked" },
  pause: { kind: "pause" },
  resume: { kind: "resume" },
  quarantine: { kind: "quarantine" },
  release: { kind: "release" },
  "lease-lost expired": { kind: "lease-lost", how: "expired" },
  "lease-lost taken": { kind: "lease-lost", how: "taken" },
  "drifted gone": { kind: "drifted", how: "gone" },
  "drifted tampered": { kind: "drifted", how: "tampered" },
  "drifted stale": { kind: "drifted", how: "stale" },
};

/** L: lease, D: drop the lease, C: ask for a confirmation, K: keep for boots, !: incident. */
const LETTERS = { lease: "L", "drop-lease": "D", confirm: "C", keep: "K", incident: "!" } as const;

function shown(from: EnforcementState, { state, actions, unmet }: Transition): string {
  const phase = state.phase === from ? "." : state.phase;
  const letters = actions.map((action) => LETTERS[action.kind]).join("");
  return [phase, letters, ...(unmet === undefined ? [] : [`refused:${unmet.length}`])]
    .filter((text) => text !== "")
    .join(" ");
}

/** Every state and every event; "." stays. Columns in the order of ENFORCEMENT_STATES. */
const TABLE = `
event              | proposed  | simulated | approved  | warm-up    | audit       | ready       | trial          | deny           | rollback     | paused    | quarantine
simulated          | simulated | .         | .         | .          | .           | .           | .              | .              | .            | .         | .
accepted first     | approved  | approved  | .         | .          | .           | audit       | audit D        | audit D        | audit        | . D       | . D
accepted wider     | approved  | approved  | .         | .          | .           | audit       | . LC           | trial LC       | audit        | .         | .
accepted narrower  | approved  | approved  | .         | .          | .           | audit       | audit D        | audit D        | audit        | . D       | . D
loaded             | .         | .         | warm-up   | .          | .           | .           | .              | .              | .            | .         | .
moved              | .         | .         | .         | .          | .           | .           | . C            | . C            | .            | .         | .
tick short         | .         | .         | .         | .          | ready       | .           | .              | .              | .            | .         | .
tick long          | .         | .         | .         | audit C    | ready       | . C         | . C            | . C            | audit C      | .         | .
counted nothing    | .         | .         | .         | .          | .           | .           | .              | .              | .            | .         | .
counted unexpected | .         | .         | .         | .          | .           | audit       | rollback D!    | .              | .            | .         | .
counted good       | .         | .         | .         | .          | .           | audit       | rollback D!    | . !            | .            | .         | .
counted unrecorded | .         | .         | .         | .          | . !         | audit !     | . !            | . !            | . !          | .         | .
confirmed          | .         | .         | .         | .          | .           | .           | . L            | . L            | .            | .         | .
unconfirmed        | .         | .         | .         | .          | .           | .           | rollback D!    | . L!           | .            | .         | .
promote human      | . refused:1 | . refused:1 | . refused:1 | . refused:1 | trial LC | trial LC | .             | .              | trial LC     | . refused:1 | . refused:1
promote order      | . refused:1 | . refused:1 | . refused:1 | . refused:1 | trial LC | trial LC | .             | .              | trial LC     | . refused:1 | . refused:1
rollback           | .         | .         | .         | . D!       | rollback D! | rollback D! | rollback D!    | rollback D!    | . D!         | . D!      | . D!
pause              | paused    | paused    | paused    | paused     | paused      | paused      | paused D       | paused D       | paused       | .         | .
resume             | .         | .         | .         | .          | .           | .           | .              | .              | .            | trial LC  | .
quarantine         | quarantine | quarantine | quarantine | quarantine | quarantine | quarantine | quarantine D  | quarantine D   | quarantine   | quarantine | .
release            | .         | .         | .         | .          | .           | .           | .              | .              | .            | .         | trial LC
lease-lost expired | .         | .         | .         | .          | .           | .           | rollback D!    | trial !LC      | .            | .         | .
lease-lost taken   | .         | .         | .         | .          | .           | .           | rollback D!    | rollback D!    | .            | .         | .
drifted gone       | .         | .         | .         | . !        | warm-up !   | warm-up !   | warm-up D!     | warm-up D!     | warm-up !    | . D!      | . D!
drifted tampered   | .         | .         | .         | . !        | . !         | . !         | . D!LC         | trial D!LC     | . !          | . !       | . !
drifted stale      | .         | .         | .         | . !        | . !         | . !         | . D!LC         | trial D!LC     | . !          | . !       | . !
`;

const [header = [], ...rows] = TABLE.trim()
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()));

test("the table has every state, every kind of event, and each event once", () => {
  assert.deepEqual(header.slice(1), [...ENFORCEMENT_STATES]);
  assert.deepEqual(
    rows.map(([name]) => name),
    Object.keys(EVENTS),
  );
  const kinds: Record<ScopeEventKind, true> = {
    simulated: true,
    accepted: true,
    loaded: true,
    moved: true,
    tick: true,
    counted: true,
    confirmed: true,
    unconfirmed: true,
    promote: true,
    rollback: true,
    pause: true,
    resume: true,
    quarantine: true,
    release: true,
    "lease-lost": true,
    drifted: true,
  };
  assert.deepEqual(new Set(Object.values(EVENTS).map(({ kind }) => kind)), new Set(Object.keys(kinds)));
});

for (const [name = "", ...cells] of rows) {
  test(`transition() on ${name} is what the table says, in every state`, () => {
    const found = ENFORCEMENT_STATES.map((phase) => shown(phase, transition(at(phase), EVENTS[name]!, RULES)));
    assert.deepEqual(found, cells);
  });
}

/** Applies events in turn and keeps, as the kernel would, whether a lease may live. */
function run(events: readonly ScopeEvent[], rules = RULES, state: ScopeState = NEW_SCOPE) {
  let isLeased = false;
  for (const event of events) {
    const before = state;
    const { state: after, actions } = transition(state, event, rules);
    for (const action of actions) {
      if (action.kind === "lease") {
        assert.ok(drops(after), `a lease in ${after.phase}, after ${event.kind} in ${before.phase}`);
        isLeased = true;
      }
      if (action.kind === "drop-lease") isLeased = false;
    }
    if (drops(before) && !drops(after)) {
      assert.equal(actions[0]?.kind, "drop-lease", `${before.phase} to ${after.phase} takes the lease away first`);
    }
    assert.ok(!isLeased || drops(after), `a lease outlives ${before.phase} into ${after.phase}`);
    if (rules.mode === "audit") assert.ok(!isLeased, "a policy signed for audit never drops");
    state = after;
  }
  return { state, isLeased };
}

const anyEvent = fc.constantFrom(...Object.values(EVENTS));

test("whatever happens in whatever order, a lease lives in trial and deny alone, and leaving them takes it away first", () => {
  const order = fc.array(anyEvent, { maxLength: 60 });
  fc.assert(
    fc.property(order, (events) => void run(events)),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(order, fc.constantFrom(...ENFORCEMENT_STATES), (events, phase) => void run(events, RULES, at(phase))),
    {
      numRuns: 2000,
    },
  );
});

test("a policy that was signed for audit never gets a lease, whoever promotes it", () => {
  const rules: ScopeRules = { ...RULES, mode: "audit" };
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => void run(events, rules)),
    { numRuns: 2000 },
  );
});

const E = EVENTS as Record<string, ScopeEvent>;
const TO_AUDIT = [E["accepted first"]!, E.loaded!, E["tick long"]!, E["counted nothing"]!, E.confirmed!];

test("the straight way: accepted, warmed up, audited, ready, tried, confirmed, deny", () => {
  const { state } = run([...TO_AUDIT, E["tick long"]!, E["tick long"]!]);
  assert.equal(state.phase, "ready");
  const trial = run([E["promote order"]!, E.confirmed!], RULES, state);
  assert.equal(trial.state.phase, "trial");
  const deny = run([E["tick long"]!, E.confirmed!], RULES, trial.state);
  assert.deepEqual([deny.state.phase, deny.isLeased], ["deny", true]);
});

test("a promotion too early is refused with each gate that is not met, and what is wanted", () => {
  const { state } = run(TO_AUDIT.slice(0, 3));
  const { unmet = [], state: after } = transition(state, E["promote human"]!, RULES);
  assert.equal(after.phase, "audit");
  assert.deepEqual(
    unmet.map(({ name, value, wanted }) => `${name}: ${value}, wanted ${wanted}`),
    [
      "audited: 0 s, wanted at least 10 s",
      "traffic seen: no, wanted a packet that a rule permits",
      "nothing unexpected: 0 s, wanted at least 5 s",
      "every attempt noted: 0 s, wanted at least 5 s",
      "controller and probes answer: unknown, wanted yes",
    ],
  );
});

test("a second trial that fails waits for a human, and an order alone cannot start a third", () => {
  const ready = at("ready");
  const first = run([E["promote order"]!, E.unconfirmed!], RULES, ready);
  assert.deepEqual([first.state.phase, first.state.failures, first.state.waitsForHuman], ["rollback", 1, false]);
  const again = run([E["tick long"]!, E.confirmed!, E["tick long"]!, E["promote order"]!], RULES, first.state);
  assert.equal(again.state.phase, "trial");
  const second = run([E.unconfirmed!, E["tick long"]!, E.confirmed!, E["tick long"]!], RULES, again.state);
  assert.deepEqual([second.state.phase, second.state.waitsForHuman], ["rollback", true]);
  // Controller and probes are asked all the same: what a human finds is not what the failed trial found.
  assert.equal(shown("rollback", transition(second.state, E["tick long"]!, RULES)), ". C");
  const { unmet = [] } = transition(second.state, E["promote order"]!, RULES);
  assert.deepEqual(
    unmet.map(({ name }) => name),
    ["trials taken back"],
  );
  assert.equal(transition(second.state, E["promote human"]!, RULES).state.phase, "trial");
});

test("in deny neither an outage nor a scan opens the host; silence beyond max offline does, unless it is fail-static", () => {
  const scan = Array.from({ length: 50 }, () => [E["counted unexpected"]!, E.unconfirmed!]).flat();
  assert.equal(run(scan, RULES, at("deny")).state.phase, "deny");
  const silence = Array.from({ length: 10 }, () => [E["tick long"]!, E.unconfirmed!]).flat();
  assert.equal(run(silence, RULES, at("deny")).state.phase, "audit");
  const fixed: ScopeRules = { ...RULES, settings: { ...SETTINGS, onSilence: "fail-static" } };
  assert.equal(run(silence, fixed, at("deny")).state.phase, "deny");
});

test("when addresses move and a probe falls silent, one look without the lease tells whether the policy is the reason", () => {
  const moved = run([E.moved!], RULES, at("deny")).state;
  const suspect = transition(moved, E.unconfirmed!, RULES);
  assert.equal(shown("deny", suspect), ". DC");
  assert.equal(shown("deny", transition(suspect.state, E.confirmed!, RULES)), "rollback D!!");
  assert.equal(shown("deny", transition(suspect.state, E.unconfirmed!, RULES)), ". L!");
});

test("a table that somebody removed while denying comes back in audit, warms up, and goes to trial, never straight to deny", () => {
  const gone = run([E["drifted gone"]!], RULES, at("deny"));
  assert.deepEqual([gone.state.phase, gone.isLeased], ["warm-up", false]);
  const warm = run([E["tick long"]!], RULES, gone.state);
  assert.equal(warm.state.phase, "trial");
});

test("pause and quarantine lead back to where they began, through a trial where that was deny", () => {
  const paused = run([E.pause!, E.quarantine!, E.release!], RULES, at("deny")).state;
  assert.equal(paused.phase, "paused");
  assert.equal(run([E.resume!], RULES, paused).state.phase, "trial");
  assert.equal(run([E.quarantine!, E.release!], RULES, at("warm-up")).state.phase, "warm-up");
});
