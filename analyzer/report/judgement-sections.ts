import type { Proposal, ReadinessGate } from "../proposal.js";
import { html, type Markup } from "./markup.js";
import type { ReachComparison, ReachFigures } from "./reach.js";
import { table } from "./table.js";
import { formatCount, formatPercent, plural } from "./words.js";

export function readinessSection(proposal: Proposal): Markup {
  return html`<h2 id="readiness">Was enough seen?</h2>
<p>${proposal.stateReason}</p>
${gateTable(proposal.gates)}`;
}

/** Conditions and how far they are met, in words as well as in colour. */
export function gateTable(gates: readonly ReadinessGate[]): Markup {
  return table<ReadinessGate>(
    "Conditions of readiness",
    [
      { title: "Gate", cell: ({ name }) => name },
      {
        title: "Met",
        cell: ({ isMet }) =>
          isMet ? html`<span class="good">✓ met</span>` : html`<span class="warn">✗ not met</span>`,
      },
      { title: "Measured", cell: ({ value }) => value },
      { title: "Wanted", cell: ({ wanted }) => wanted },
    ],
    gates,
  );
}

const REACH_ROWS: readonly { readonly title: string; readonly figure: (figures: ReachFigures) => string }[] = [
  { title: "Open (source, service) cells", figure: ({ cells }) => formatCount(cells) },
  {
    title: "Segmentedness: share of cells that are closed",
    figure: ({ segmentedness }) => formatPercent(segmentedness),
  },
  { title: "Hosts a workload reaches directly, mean", figure: ({ direct }) => direct.toFixed(1) },
  { title: "Hosts it reaches in any number of steps, mean", figure: ({ transitive }) => transitive.toFixed(1) },
  { title: "The same, 95th percentile", figure: ({ transitive95 }) => transitive95.toFixed(0) },
];

/** `after` heads the column of the policy. */
export function reachTable({ flat, policy }: ReachComparison, after: string): Markup {
  return table<(typeof REACH_ROWS)[number]>(
    "What a workload, or whoever takes it over, can reach",
    [
      { title: "Measure", cell: ({ title }) => title },
      { title: "Flat network", isNumber: true, cell: ({ figure }) => figure(flat) },
      { title: after, isNumber: true, cell: ({ figure }) => figure(policy) },
    ],
    REACH_ROWS,
  );
}

export function reachSection(reach: ReachComparison): Markup {
  const sampled =
    reach.sources < reach.workloads
      ? ` Counted from ${reach.sources} of ${reach.workloads} workloads, evenly chosen.`
      : "";
  return html`<h2 id="reach">Reach, before and after</h2>
<p>${plural(reach.services, "service")} answered somebody. Without policy every workload can open a flow to each of them;
${formatCount(reach.observed)} of these cells were really used. The last column is the proposal in deny mode.${sampled}</p>
${reachTable(reach, "Proposal")}`;
}

export function methodSection(): Markup {
  return html`<h2 id="method">How this was made</h2>
<ul>
<li>Only conversations that the server accepted become rules. Attempts that failed are listed above, never allowed.</li>
<li>A source is a scanner when its first contacts fail as those of scanners do: a sequential hypothesis test with success
probabilities 0.8 and 0.2, 1 % false alarms and 99 % detection (Jung and others, IEEE Symposium on Security and Privacy 2004).</li>
<li>Who opened a flow is observed (a TCP SYN, a DNS query), not guessed from ports. Where nobody knows, nothing is proposed.</li>
<li>An address stands for the workload that had it at the time.</li>
<li>Roles come from labels; without labels, from what workloads offer and use. A rule speaks of a role once two members were
seen, and only for servers seen offering the service.</li>
<li>Confidence is the chance that the next use of a rule is one we have seen, lowered for few flows and for one sensor alone. It
does not say whether the traffic is wanted.</li>
<li>Coverage is estimated from how many conversations were seen once and twice (Chao and Jost, Ecology 2012); the backtest learns
from the past and asks what would have been denied since.</li>
</ul>`;
}
