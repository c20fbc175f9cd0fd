import type { EnforcerFigures } from "../../enforcer/host-status.js";
import type { Condition } from "../../web/api/probes.js";
import { counter, gauge, type Measured, measured, type Sample } from "./family.js";

const SCOPE = ["scope"];

const NAME = {
  state: gauge("portolan_enforcer_state", "1 for the state in which the policy is on this host", ["scope", "state"]),
  generation: gauge("portolan_enforcer_generation", "Generation that is in force", SCOPE),
  denying: gauge("portolan_enforcer_denying", "1 while the kernel held a lease when it was read last", SCOPE),
  lease: gauge(
    "portolan_enforcer_lease_seconds",
    "What was left of the lease then; absent without one that ends",
    SCOPE,
  ),
  unmet: gauge("portolan_enforcer_gates_unmet", "Gates that keep deny from being tried", SCOPE),
  failures: gauge("portolan_enforcer_trials_failed", "Trials of this content that were taken back", SCOPE),
  waits: gauge("portolan_enforcer_waits_for_human", "1 while nothing but a person moves it on", SCOPE),
  attempts: counter("portolan_enforcer_attempts_total", "Attempts that no rule permits", ["scope", "verdict"]),
  unrecorded: counter("portolan_enforcer_attempts_unrecorded_total", "Attempts that no edge accounts for", SCOPE),
  dropped: counter("portolan_enforcer_packets_dropped_total", "Packets dropped, repeated ones included", SCOPE),
  permitted: counter("portolan_enforcer_connections_permitted_total", "Connections that a rule permitted", SCOPE),
  intact: gauge("portolan_enforcer_table_intact", "1 while the kernel holds what was loaded, 0 while it does not"),
  paused: gauge("portolan_enforcer_paused", "1 while the table sleeps: nothing is judged"),
  quarantined: gauge("portolan_enforcer_quarantined", "1 while the host is cut off"),
  connections: gauge("portolan_enforcer_connections_ratio", "How full the kernel's table of connections is"),
  obstacles: gauge("portolan_enforcer_obstacles", "Reasons why this host is not protected, or in part", ["gravity"]),
  incidents: counter("portolan_enforcer_incidents_total", "What people were told of", ["code"]),
  counted: gauge("portolan_enforcer_last_count_timestamp_seconds", "When the kernel's counts were read last"),
  waiting: gauge("portolan_enforcer_reports_waiting", "Verdict reports that nobody took yet"),
  lost: counter("portolan_enforcer_reports_lost_total", "Verdict reports given up because too many waited"),
};

/** Counters begin at 0 with the process; what is not known yet, such as a kernel that was never read, has no sample. */
export function enforcerMetrics(figures: () => EnforcerFigures): Measured[] {
  type Scope = EnforcerFigures["scopes"][number];
  const each = (value: (of: Scope) => number | undefined) => (): readonly Sample[] =>
    figures().scopes.flatMap((of) => {
      const known = value(of);
      return known === undefined ? [] : [{ labels: { scope: of.scope }, value: known }];
    });
  const flag = (is: boolean | undefined) => (is === undefined ? undefined : Number(is));
  const gravities = ["refuses", "warns"] as const;
  return [
    measured(NAME.state, () =>
      figures().scopes.map(({ scope, phase }) => ({ labels: { scope, state: phase }, value: 1 })),
    ),
    measured(
      NAME.generation,
      each(({ generation }) => generation),
    ),
    measured(
      NAME.denying,
      each(({ inForce }) => flag(inForce && inForce.leaseRemainingMs !== undefined)),
    ),
    measured(
      NAME.lease,
      each(({ inForce }) =>
        typeof inForce?.leaseRemainingMs === "number" ? inForce.leaseRemainingMs / 1000 : undefined,
      ),
    ),
    measured(
      NAME.unmet,
      each(({ unmet }) => unmet),
    ),
    measured(
      NAME.failures,
      each(({ failures }) => failures),
    ),
    measured(
      NAME.waits,
      each(({ waitsForHuman }) => Number(waitsForHuman)),
    ),
    measured(NAME.attempts, () =>
      figures().scopes.flatMap(({ scope, tally }) =>
        (["audited", "denied"] as const).map((verdict) => ({ labels: { scope, verdict }, value: tally[verdict] })),
      ),
    ),
    measured(
      NAME.unrecorded,
      each(({ tally }) => tally.unrecorded),
    ),
    measured(
      NAME.dropped,
      each(({ tally }) => tally.deniedPackets),
    ),
    measured(
      NAME.permitted,
      each(({ tally }) => tally.permitted),
    ),
    measured(NAME.intact, () => flag(figures().kernel && isHeld(figures()))),
    measured(NAME.paused, () => flag(figures().kernel?.isDormant)),
    measured(NAME.quarantined, () => flag(figures().kernel?.isQuarantined)),
    measured(NAME.connections, () => {
      const { connections } = figures().kernel ?? {};
      return connections === undefined ? undefined : connections.taken / connections.most;
    }),
    measured(NAME.obstacles, () =>
      gravities.map((gravity) => ({
        labels: { gravity },
        value: figures().obstacles.filter((obstacle) => obstacle.gravity === gravity).length,
      })),
    ),
    measured(NAME.incidents, () => Array.from(figures().incidents, ([code, value]) => ({ labels: { code }, value }))),
    measured(NAME.counted, () => {
      const { countedUs } = figures();
      return countedUs === undefined ? undefined : countedUs / 1e6;
    }),
    measured(NAME.waiting, () => figures().reports.waiting),
    measured(NAME.lost, () => figures().reports.lost),
  ];
}

const isHeld = ({ kernel }: EnforcerFigures) => kernel?.table === "ours" && kernel.isIntact;

/** What an enforcer needs: a host that can be protected, and a table that is as it was loaded. */
export function enforcerConditions(figures: EnforcerFigures): Condition[] {
  const { kernel, obstacles, scopes, reports } = figures;
  const refusing = obstacles.filter(({ gravity }) => gravity === "refuses").map(({ text }) => text);
  const table =
    kernel === undefined
      ? "not read yet"
      : isHeld(figures)
        ? kernel.isDormant
          ? "as loaded, and asleep"
          : "as loaded"
        : kernel.table === "ours"
          ? "changed by somebody"
          : kernel.table;
  return [
    {
      name: "host",
      isMet: refusing.length === 0,
      isNeeded: true,
      text: refusing.length === 0 ? "can be protected" : refusing.join("; "),
    },
    { name: "policy", isMet: scopes.length > 0, isNeeded: false, text: `${scopes.length} in force` },
    {
      name: "table",
      isMet: kernel === undefined ? "unknown" : isHeld(figures),
      isNeeded: scopes.length > 0,
      text: table,
    },
    {
      name: "reports",
      isMet: reports.lost === 0,
      isNeeded: false,
      text: `${reports.waiting} wait, ${reports.lost} lost`,
    },
  ];
}
