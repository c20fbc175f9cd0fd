import type { AllowRule } from "../../policy/allow-rule.js";
import type { Proposal } from "../proposal.js";
import { html, type Markup, paragraph } from "./markup.js";
import { table } from "./table.js";
import { formatCount, formatMoment, formatPeer, formatService, plural } from "./words.js";

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

/** Rules shown one by one; policy.json has all. */
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
    ? paragraph("No rule is proposed.")
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
${rules.length > ARTICLES ? paragraph(`The other ${rules.length - ARTICLES} rules are in policy.json.`) : []}
<h3>Workloads left open</h3>
${
  proposal.openWorkloads.length === 0
    ? paragraph("None: every workload is isolated.")
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
    ? paragraph("None.")
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
