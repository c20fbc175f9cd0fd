import type { Graph, GraphEdge } from "../../model/graph.js";
import type { Inventory } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { SensorStatus } from "../explorer.js";
import type { Exclusion, Proposal } from "../proposal.js";
import { html, type Markup } from "./markup.js";
import type { ReachComparison, ReachFigures } from "./reach.js";
import { roleMap } from "./role-map.js";
import { table } from "./table.js";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatPeer,
  formatPercent,
  formatService,
  plural,
} from "./words.js";

const nodeName = (id: string) => id.slice(id.indexOf(":") + 1);
const none = (text: string) => html`<p>${text}</p>`;

export function scopeSection(
  proposal: Proposal,
  graph: Graph,
  sensors: readonly SensorStatus[],
  inventory: Inventory,
): Markup {
  const { policySet, gaps } = proposal;
  return html`<h2 id="scope">Scope and sensors</h2>
<p>Traffic from ${formatMoment(proposal.fromUs)} to ${formatMoment(proposal.untilUs)} UTC
(${formatDuration(proposal.untilUs - proposal.fromUs)}), ${plural(inventory.workloads.length, "workload")} in the inventory,
${plural(graph.edges.length, "distinct conversation")} seen. The proposal is policy set <code>${policySet.name}</code>.</p>
${
  sensors.length === 0
    ? none("No sensor reported.")
    : table<SensorStatus>(
        "Sensors and what they lost",
        [
          { title: "Sensor", cell: ({ collector }) => collector },
          { title: "First seen (UTC)", cell: ({ firstSeenUs }) => formatMoment(firstSeenUs) },
          { title: "Last seen (UTC)", cell: ({ lastSeenUs }) => formatMoment(lastSeenUs) },
          { title: "Flows", isNumber: true, cell: ({ flows }) => formatCount(flows) },
          {
            title: "Packets lost",
            isNumber: true,
            cell: ({ dropped }) => (dropped === "unknown" ? "unknown" : formatCount(dropped)),
          },
        ],
        sensors,
      )
}
${
  gaps.length === 0
    ? none("No gap was reported: what the sensors saw is complete as far as they can tell.")
    : table<Proposal["gaps"][number]>(
        "Gaps in what was seen; conversations in them may be missing from this report",
        [
          { title: "Sensor", cell: ({ collector }) => collector },
          { title: "From (UTC)", cell: ({ fromUs }) => formatMoment(fromUs) },
          { title: "Until (UTC)", cell: ({ untilUs }) => formatMoment(untilUs) },
          {
            title: "Packets lost",
            isNumber: true,
            cell: ({ lost }) => (lost === "unknown" ? "unknown" : formatCount(lost)),
          },
          { title: "Reason", cell: ({ reason }) => reason },
        ],
        gaps,
      )
}`;
}

export function seenSection(proposal: Proposal, graph: Graph): Markup {
  const edges = [...graph.edges].sort(
    (a, b) => b.flows.answered - a.flows.answered || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  return html`<h2 id="seen">What was seen</h2>
${roleMap(graph, proposal) ?? []}
${
  edges.length === 0
    ? none("Nothing.")
    : table<GraphEdge>(
        "Conversations, most used first",
        [
          { title: "Client", cell: ({ client }) => nodeName(client) },
          { title: "Server", cell: ({ server }) => nodeName(server) },
          { title: "Service", cell: ({ protocol, port }) => `${protocol}/${port}` },
          { title: "Accepted", isNumber: true, cell: ({ flows }) => formatCount(flows.answered + flows.midstream) },
          { title: "Failed", isNumber: true, cell: ({ flows }) => formatCount(flows.refused + flows.unanswered) },
          {
            title: "Bytes",
            isNumber: true,
            cell: ({ clientBytes, serverBytes }) => formatBytes(clientBytes + serverBytes),
          },
          { title: "State", cell: ({ state }) => state },
        ],
        edges,
      )
}`;
}

function evidenceOf(rule: AllowRule): Markup {
  const { evidence } = rule;
  if (evidence === undefined) return html`<p class="soft">Not learned from traffic, so there is no evidence.</p>`;
  const names = evidence.names.length === 0 ? "" : ` Server called ${evidence.names.slice(0, 5).join(", ")}.`;
  return html`<p>${plural(evidence.flows, "accepted flow")} in ${plural(evidence.windows, "hour")} between
${formatMoment(evidence.firstSeenUs)} and ${formatMoment(evidence.lastSeenUs)} UTC, seen by ${evidence.observers.slice(0, 5).join(", ") || "nobody"}.
Clients: ${evidence.clients.slice(0, 8).join(", ")}${evidence.clients.length > 8 ? ` and ${evidence.clients.length - 8} more` : ""}.
Servers: ${evidence.servers.slice(0, 8).join(", ")}${evidence.servers.length > 8 ? ` and ${evidence.servers.length - 8} more` : ""}.${names}</p>
${
  evidence.samples.length === 0
    ? []
    : html`<p class="soft">For example ${evidence.samples
        .slice(0, 3)
        .map(
          (sample, i) =>
            html`${i === 0 ? "" : "; "}<span class="mono">${sample.client}:${sample.clientPort} to ${sample.server}:${sample.serverPort}</span> at ${formatMoment(sample.startUs)}`,
        )}.</p>`
}`;
}

function ruleArticle(rule: AllowRule): Markup {
  return html`<article class="rule" aria-labelledby="rule-${rule.id}">
<h3 id="rule-${rule.id}">${rule.id}</h3>
<p>${rule.reason}</p>
<p class="mono">${formatPeer(rule.client)} → ${formatPeer(rule.server)} : ${rule.services.map(formatService).join(", ")}</p>
${evidenceOf(rule)}
${rule.widenings.map(({ text, cells }) => html`<p class="widening">Wider than seen: ${text} (${plural(cells, "combination")} never seen)</p>`)}
</article>
`;
}

/** Rules shown one by one; the table above them lists more, and policy.json all. */
const ARTICLES = 300;

export function proposedSection(proposal: Proposal): Markup {
  const { rules, isolations } = proposal.policySet;
  const cells = (rule: AllowRule) => rule.widenings.reduce((sum, widening) => sum + widening.cells, 0);
  const modes = isolations.some(({ mode }) => mode === "deny") ? "audit and deny" : "audit";
  return html`<h2 id="proposed">What is proposed</h2>
<p>${plural(rules.length, "allow rule")} and ${plural(isolations.length, "isolation")} in ${modes} mode. In audit mode traffic
that no rule allows still passes and is counted; nothing is dropped until a person raises the mode.</p>
${
  rules.length === 0
    ? none("No rule is proposed.")
    : table<AllowRule>(
        "Proposed rules, each described below",
        [
          { title: "Rule", cell: ({ id }) => html`<a href="#rule-${id}">${id}</a>` },
          { title: "Service", cell: ({ services }) => services.map(formatService).join(", ") },
          { title: "Confidence", isNumber: true, cell: ({ confidence }) => confidence.toFixed(2) },
          {
            title: "Flows",
            isNumber: true,
            cell: ({ evidence }) => (evidence === undefined ? "declared" : formatCount(evidence.flows)),
          },
          {
            title: "Hours",
            isNumber: true,
            cell: ({ evidence }) => (evidence === undefined ? "" : formatCount(evidence.windows)),
          },
          { title: "Permitted, not seen", isNumber: true, cell: (rule) => formatCount(cells(rule)) },
        ],
        rules.slice(0, ARTICLES),
      )
}
${rules.slice(0, ARTICLES).map(ruleArticle)}
${rules.length > ARTICLES ? none(`The other ${rules.length - ARTICLES} rules are in policy.json.`) : []}
<h3>Workloads left open</h3>
${
  proposal.openWorkloads.length === 0
    ? none("None: every workload is isolated.")
    : table<Proposal["openWorkloads"][number]>(
        "No policy governs these until a person decides",
        [
          { title: "Workload", cell: ({ workload }) => workload },
          { title: "Why", cell: ({ reason }) => reason },
        ],
        proposal.openWorkloads,
      )
}
<h3>Roles</h3>
${
  proposal.roles.length === 0
    ? none("None.")
    : table<Proposal["roles"][number]>(
        "Workloads that rules treat as one",
        [
          { title: "Role", cell: ({ name }) => name },
          {
            title: "Known by",
            cell: ({ basis }) =>
              ({ labels: "its labels", profile: "what its members do", single: "being alone" })[basis],
          },
          {
            title: "Members",
            cell: ({ members }) =>
              `${members.slice(0, 6).join(", ")}${members.length > 6 ? ` and ${members.length - 6} more` : ""}`,
          },
        ],
        proposal.roles,
      )
}`;
}

const KINDS: Readonly<Record<Exclusion["kind"], string>> = {
  quarantine: "To decide: seen, but too risky to allow by itself",
  direction: "To decide: nobody knows who opened it",
  midstream: "Under way before we watched",
  scan: "Scanning",
  refused: "Refused by the server",
  unanswered: "Never answered",
  housekeeping: "Housekeeping of the network, always permitted",
};

export function excludedSection(proposal: Proposal): Markup {
  const kinds = (Object.keys(KINDS) as Exclusion["kind"][]).filter((kind) =>
    proposal.exclusions.some((exclusion) => exclusion.kind === kind),
  );
  return html`<h2 id="excluded">What was excluded, and why</h2>
${kinds.length === 0 ? none("Nothing: every conversation seen is covered by a rule.") : []}
${kinds.map(
  (kind) => html`<h3>${KINDS[kind]}</h3>
${table<Exclusion>(
  KINDS[kind],
  [
    { title: "Client", cell: ({ client }) => client },
    { title: "Server", cell: ({ server }) => server },
    { title: "Service", cell: ({ protocol, ports }) => `${protocol}/${ports.join(", ")}` },
    { title: "Flows", isNumber: true, cell: ({ flows }) => formatCount(flows) },
    { title: "Why", cell: ({ reason }) => reason },
  ],
  proposal.exclusions.filter((exclusion) => exclusion.kind === kind),
)}`,
)}`;
}

export function readinessSection(proposal: Proposal): Markup {
  return html`<h2 id="readiness">Was enough seen?</h2>
<p>${proposal.stateReason}</p>
${table<Proposal["gates"][number]>(
  "Conditions of readiness",
  [
    { title: "Gate", cell: ({ name }) => name },
    {
      title: "Met",
      cell: ({ isMet }) => (isMet ? html`<span class="good">✓ met</span>` : html`<span class="warn">✗ not met</span>`),
    },
    { title: "Measured", cell: ({ value }) => value },
    { title: "Wanted", cell: ({ wanted }) => wanted },
  ],
  proposal.gates,
)}`;
}

export function reachSection(reach: ReachComparison): Markup {
  const { flat, policy } = reach;
  const sampled =
    reach.sources < reach.workloads
      ? ` Counted from ${reach.sources} of ${reach.workloads} workloads, evenly chosen.`
      : "";
  const rows: { title: string; figure: (figures: ReachFigures) => string }[] = [
    { title: "Open (source, service) cells", figure: ({ cells }) => formatCount(cells) },
    {
      title: "Segmentedness: share of cells that are closed",
      figure: ({ segmentedness }) => formatPercent(segmentedness),
    },
    { title: "Hosts a workload reaches directly, mean", figure: ({ direct }) => direct.toFixed(1) },
    { title: "Hosts it reaches in any number of steps, mean", figure: ({ transitive }) => transitive.toFixed(1) },
    { title: "The same, 95th percentile", figure: ({ transitive95 }) => transitive95.toFixed(0) },
  ];
  return html`<h2 id="reach">Reach, before and after</h2>
<p>${plural(reach.services, "service")} answered somebody. Without policy every workload can open a flow to each of them;
${formatCount(reach.observed)} of these cells were really used. The last column is the proposal in deny mode.${sampled}</p>
${table<(typeof rows)[number]>(
  "What a workload, or whoever takes it over, can reach",
  [
    { title: "Measure", cell: ({ title }) => title },
    { title: "Flat network", isNumber: true, cell: ({ figure }) => figure(flat) },
    { title: "Proposal", isNumber: true, cell: ({ figure }) => figure(policy) },
  ],
  rows,
)}`;
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
