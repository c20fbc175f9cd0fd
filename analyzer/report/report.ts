import type { Graph } from "../../model/graph.js";
import type { Inventory } from "../../model/workload.js";
import type { SensorStatus } from "../explorer.js";
import type { Proposal } from "../proposal.js";
import { excludedSection } from "./excluded-section.js";
import { methodSection, reachSection, readinessSection } from "./judgement-sections.js";
import { html, type Markup } from "./markup.js";
import { renderPage } from "./page.js";
import { proposedSection } from "./proposed-section.js";
import { compareReach } from "./reach.js";
import { scopeSection, seenSection } from "./seen-sections.js";
import { formatCount, formatPercent } from "./words.js";

export interface ReportInput {
  readonly title: string; // what was looked at, e.g. the capture's name
  readonly graph: Graph; // at workload level
  readonly proposal: Proposal;
  readonly sensors: readonly SensorStatus[];
  readonly inventory: Inventory;
}

const STATES: Readonly<Record<Proposal["state"], readonly [text: string, tone: string]>> = {
  "not-enough-data": ["Not enough data", "bad"],
  learning: ["Still learning", "warn"],
  "ready-for-review": ["Ready for review", "good"],
};

const CONTENTS: readonly (readonly [id: string, title: string])[] = [
  ["readiness", "Was enough seen?"],
  ["reach", "Reach, before and after"],
  ["scope", "Scope and sensors"],
  ["seen", "What was seen"],
  ["proposed", "What is proposed"],
  ["excluded", "What was excluded, and why"],
  ["method", "How this was made"],
];

/**
 * One HTML page that needs nothing beside it: no script, no request, readable in print and by screen readers. Every
 * name in it came from a network and is shown as text, with characters that deceive the eye spelled out. Pure.
 */
export function renderReport({ title, graph, proposal, sensors, inventory }: ReportInput): string {
  const reach = compareReach(graph, proposal.policySet, inventory);
  const [state, tone] = STATES[proposal.state];
  const figures: (readonly [string, string])[] = [
    ["workloads", formatCount(inventory.workloads.length)],
    ["conversations seen", formatCount(graph.edges.length)],
    ["rules proposed", formatCount(proposal.policySet.rules.length)],
    ["exclusions", formatCount(proposal.exclusions.length)],
    ["cells closed", formatPercent(reach.policy.segmentedness)],
  ];
  const body: Markup = html`<body>
<header>
<h1>${title}: who talks to whom, and what to allow</h1>
<p class="lead"><span class="state ${tone}">${state}</span> ${proposal.stateReason}</p>
<dl class="figures">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<nav aria-label="Contents"><ul>${CONTENTS.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul></nav>
</header>
<main>
${readinessSection(proposal)}
${reachSection(reach)}
${scopeSection(proposal, graph, sensors, inventory)}
${seenSection(proposal, graph)}
${proposedSection(proposal)}
${excludedSection(proposal)}
${methodSection()}
</main>
</body>`;
  return renderPage(`${title} - Portolan report`, body);
}
