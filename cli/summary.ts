import type { ProposalState } from "../analyzer/proposal.js";
import type { Graph } from "../model/graph.js";
import { formatTimeUs } from "../model/time-window.js";
import type { Journey } from "./journey.js";

/** The figures of one journey; what `--json` prints. */
export interface Summary {
  readonly packets: number;
  readonly flows: number;
  readonly lostPackets: number | "unknown";
  readonly fromUs: number;
  readonly untilUs: number;
  readonly nodes: number;
  readonly groups: number;
  readonly edges: Readonly<Record<Graph["edges"][number]["state"], number>>;
  readonly rules: number;
  readonly widenings: number;
  readonly isolatedWorkloads: number;
  readonly exclusions: Readonly<Record<string, number>>;
  readonly state: ProposalState;
  readonly stateReason: string;
  readonly losses: Readonly<Record<string, number>>; // per bundle
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function summarise(journey: Journey): Summary {
  const { totals, graph, proposal, bundles } = journey;
  const states = countBy(graph.edges, (edge) => edge.state);
  const of = (state: string) => states[state] ?? 0;
  return {
    packets: totals.packets,
    flows: totals.flows,
    lostPackets: totals.lost,
    fromUs: totals.fromUs,
    untilUs: totals.untilUs,
    nodes: graph.nodes.filter((node) => node.kind !== "group").length,
    groups: graph.nodes.filter((node) => node.kind === "group").length,
    edges: {
      allowed: of("allowed"),
      excluded: of("excluded"),
      quarantined: of("quarantined"),
      undecided: of("undecided"),
    },
    rules: proposal.policySet.rules.length,
    widenings: proposal.policySet.rules.reduce((sum, rule) => sum + rule.widenings.length, 0),
    isolatedWorkloads: new Set(proposal.policySet.isolations.map((isolation) => JSON.stringify(isolation.selector)))
      .size,
    exclusions: countBy(proposal.exclusions, (exclusion) => exclusion.kind),
    state: proposal.state,
    stateReason: proposal.stateReason,
    losses: Object.fromEntries([...bundles].map(([name, bundle]) => [name, bundle.losses.length])),
  };
}

const number = (value: number | "unknown") => (value === "unknown" ? value : value.toLocaleString("en"));
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${number(count)} ${name}`)
    .join(", ") || "none";

/** The summary for people, one line a step of the journey. */
export function formatSummary(summary: Summary): string {
  const span =
    summary.packets === 0 ? "no packets" : `${formatTimeUs(summary.fromUs)} to ${formatTimeUs(summary.untilUs)}`;
  const lines: [string, string][] = [
    ["seen", `${number(summary.packets)} packets in ${number(summary.flows)} flows, ${span}`],
    ["lost", `${number(summary.lostPackets)} packets before they reached us`],
    ["graph", `${number(summary.nodes)} workloads, ${number(summary.groups)} groups of other addresses`],
    ["edges", listed(summary.edges)],
    ["excluded", listed(summary.exclusions)],
    [
      "proposed",
      `${number(summary.rules)} rules, ${number(summary.widenings)} widenings, ${number(summary.isolatedWorkloads)} isolated selections`,
    ],
    ["state", `${summary.state}: ${summary.stateReason}`],
    ["cannot say", listed(summary.losses)],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, text]) => `${label.padEnd(width)}  ${text}\n`).join("");
}
