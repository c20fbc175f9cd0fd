import { gateTable, reachTable } from "../report/judgement-sections.js";
import { html, type Markup, paragraph } from "../report/markup.js";
import { renderPage } from "../report/page.js";
import { sensorTables } from "../report/sensor-tables.js";
import { table } from "../report/table.js";
import { formatCount, formatDuration, formatMoment, plural } from "../report/words.js";
import type { EnforcerStanding } from "./audit-figures.js";
import type { AuditEdge, AuditReport, AuditScope, EdgeStanding } from "./audit-report.js";
import type { PolicyApproval } from "./policy-approvals.js";

const TONES: Readonly<Record<EdgeStanding, string>> = { new: "bad", known: "warn", accepted: "good" };
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

function hostsTable(hosts: readonly EnforcerStanding[]): Markup {
  if (hosts.length === 0) return paragraph("No enforcer reported in this span.");
  return table<EnforcerStanding>(
    "Hosts, and how the policy stands on each",
    [
      { title: "Host", cell: ({ host }) => host },
      { title: "Mode", cell: ({ mode, state }) => (state === mode ? mode : `${mode} (${state})`) },
      { title: "Since (UTC)", cell: ({ modeSinceUs }) => formatMoment(modeSinceUs) },
      { title: "Generation", isNumber: true, cell: ({ generation }) => generation },
      { title: "Last report (UTC)", cell: ({ lastReportUs }) => formatMoment(lastReportUs) },
      { title: "Attempts", isNumber: true, cell: ({ counters }) => formatCount(counters.recorded) },
      { title: "Packets denied", isNumber: true, cell: ({ counters }) => formatCount(counters.denied) },
      { title: "Not counted", isNumber: true, cell: ({ unrecorded }) => formatCount(unrecorded) },
      { title: "Reports missing", isNumber: true, cell: ({ missingReports }) => formatCount(missingReports) },
    ],
    hosts,
  );
}

function standingCell({ standing, acceptance }: AuditEdge): Markup {
  const by = acceptance === undefined ? "" : ` by ${acceptance.by}: ${acceptance.note}`;
  return html`<span class="${TONES[standing]}">${standing}</span>${by}`;
}

function exampleCell({ examples }: AuditEdge): string {
  return examples
    .map(({ atUs, clientPort, interface: name }) => `${formatMoment(atUs)} from port ${clientPort} on ${name}`)
    .join("; ");
}

const end = ({ name, address }: AuditEdge["client"]) => (name === address ? name : `${name} (${address})`);

function edgesTable(caption: string, edges: readonly AuditEdge[], count: (edge: AuditEdge) => number): Markup {
  return table<AuditEdge>(
    caption,
    [
      { title: "Client", cell: ({ client }) => end(client) },
      { title: "Server", cell: ({ server }) => end(server) },
      { title: "Service", cell: ({ protocol, port }) => `${protocol}/${port}` },
      { title: "At", cell: ({ direction }) => (direction === "ingress" ? "server" : "client") },
      { title: "Attempts", isNumber: true, cell: (edge) => formatCount(count(edge)) },
      { title: "First (UTC)", cell: ({ firstUs }) => formatMoment(firstUs) },
      { title: "Last (UTC)", cell: ({ lastUs }) => formatMoment(lastUs) },
      { title: "Standing", cell: standingCell },
      { title: "Examples", cell: exampleCell },
    ],
    edges,
  );
}

function trustCell({ trust }: PolicyApproval): Markup {
  switch (trust.kind) {
    case "verified":
      return html`<span class="good">✓ holds</span>`;
    case "unchecked":
      return html`<span class="warn">not checked</span>`;
    case "refused":
      return html`<span class="bad">✗ refused</span> ${trust.reason}`;
  }
}

function approvalsTable(approvals: readonly PolicyApproval[]): Markup {
  if (approvals.length === 0) return paragraph("No policy of this scope was published.");
  return table<PolicyApproval>(
    "Who approved what, newest first",
    [
      { title: "Generation", isNumber: true, cell: ({ order }) => order?.generation ?? "unknown" },
      { title: "Received (UTC)", cell: ({ receivedUs }) => formatMoment(receivedUs) },
      {
        title: "Vouched for by",
        cell: ({ signatures }) =>
          signatures.map(({ role, person, keyId, at }) => `${role} ${person ?? `key ${keyId}`} at ${at}`).join("; "),
      },
      { title: "Signatures", cell: trustCell },
      { title: "Valid until", cell: ({ order }) => order?.expires ?? "unknown" },
    ],
    approvals,
  );
}

function scopeSection(scope: AuditScope): Markup {
  const audited = scope.edges.filter((edge) => edge.audited > 0);
  const denied = scope.edges.filter((edge) => edge.denied > 0);
  const { expectedHosts, silentHosts, unusedRules, reach } = scope;
  const heard = expectedHosts.length - silentHosts.length;
  return html`<section aria-labelledby="scope-${scope.scope}">
<h2 id="scope-${scope.scope}">Policy ${scope.scope}, generation ${scope.generation}</h2>
<p>${
    expectedHosts.length === 0
      ? "Which hosts the policy isolates is not known here."
      : `${heard} of ${plural(expectedHosts.length, "isolated host")} reported.`
  }${silentHosts.length === 0 ? "" : ` Silent: ${silentHosts.join(", ")}.`}</p>
${gateTable(scope.gates)}
<h3>Hosts</h3>
${hostsTable(scope.hosts)}
<h3>What deny would have dropped</h3>
${
  audited.length === 0
    ? paragraph("Nothing: everything that was seen is permitted, or was denied.")
    : edgesTable("Let through in audit mode, new first", audited, (edge) => edge.audited)
}
<h3>What was denied</h3>
${denied.length === 0 ? paragraph("Nothing.") : edgesTable("Dropped in deny mode, new first", denied, (edge) => edge.denied)}
<h3>Rules that nobody used</h3>
${
  unusedRules.length === 0
    ? paragraph("None, as far as the published policy says.")
    : table<(typeof unusedRules)[number]>(
        "Rules without a connection in this span",
        [
          { title: "Rule", cell: ({ rule }) => rule },
          { title: "Why it is there", cell: ({ reason }) => reason },
        ],
        unusedRules,
      )
}
<h3>Approvals</h3>
${approvalsTable(scope.approvals)}
${reach === undefined ? html`` : html`<h3>Reach, before and after</h3>${reachTable(reach, "Policy")}`}
</section>`;
}

/** One page that needs nothing beside it, for people who do not use Portolan. Pure. */
export function renderAuditHtml(report: AuditReport): string {
  const { scopes, chain } = report;
  const edges = scopes.flatMap((scope) => scope.edges);
  const figures: (readonly [string, string])[] = [
    ["policies", formatCount(scopes.length)],
    ["hosts reporting", formatCount(new Set(scopes.flatMap(({ hosts }) => hosts.map(({ host }) => host))).size)],
    ["new edges", formatCount(edges.filter(({ standing }) => standing === "new").length)],
    ["attempts that deny would drop", formatCount(sum(edges.map(({ audited }) => audited)))],
    ["attempts denied", formatCount(sum(edges.map(({ denied }) => denied)))],
  ];
  const body = html`<body>
<header>
<h1>Enforcement: what was denied, and what would be</h1>
<p class="lead">${formatMoment(report.fromUs)} to ${formatMoment(report.untilUs)} UTC
(${formatDuration(report.untilUs - report.fromUs)}), by the time at which reports were received.</p>
<dl class="figures">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</header>
<main>
${scopes.length === 0 ? paragraph("No enforcer reported, and no policy was published.") : scopes.map(scopeSection)}
<h2 id="sensors">Sensors</h2>
${sensorTables(report.sensors, report.gaps)}
<h2 id="evidence">What this rests on</h2>
<p>${
    chain.first === undefined || chain.last === undefined
      ? "No entry of the audit trail."
      : `Entries ${chain.first} to ${chain.last} of the audit trail, beside this page in entries.jsonl.`
  } Each entry vouches for the one before; the last link is <code>${chain.head}</code>. Note it elsewhere: whoever changes an
entry afterwards changes it too. <code>portolan report verify</code> finds a changed byte in any file of the report.</p>
<p>Counts are exact: the kernel counts each attempt once, however often it is repeated on the wire. Examples are single
packets from a log that may lose any of them.</p>
</main>
</body>`;
  return renderPage("Portolan: enforcement report", body);
}
