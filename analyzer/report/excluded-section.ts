import type { Exclusion, Proposal } from "../proposal.js";
import { html, type Markup, paragraph } from "./markup.js";
import { table } from "./table.js";
import { formatCount, plural } from "./words.js";

const KINDS: Readonly<Record<Exclusion["kind"], string>> = {
  quarantine: "To decide: seen, but too risky to allow by itself",
  direction: "To decide: nobody knows who opened it",
  midstream: "Under way before we watched",
  scan: "Scanning",
  refused: "Refused by the server",
  unanswered: "Never answered",
  housekeeping: "Housekeeping of the network, always permitted",
};

const COLUMNS = [
  { title: "Client", cell: ({ client }: Exclusion) => client },
  { title: "Server", cell: ({ server }: Exclusion) => server },
  { title: "Service", cell: ({ protocol, ports }: Exclusion) => `${protocol}/${ports.join(", ")}` },
  { title: "Flows", isNumber: true, cell: ({ flows }: Exclusion) => formatCount(flows) },
  { title: "Why", cell: ({ reason }: Exclusion) => reason },
];

/** Nobody has to decide about housekeeping, so the same reason is said once for everybody. */
function housekeepingTable(exclusions: readonly Exclusion[]): Markup {
  const byReason = new Map<string, { reason: string; clients: Set<string>; flows: number }>();
  for (const { reason, client, flows } of exclusions) {
    const known = byReason.get(reason) ?? { reason, clients: new Set<string>(), flows: 0 };
    known.clients.add(client);
    known.flows += flows;
    byReason.set(reason, known);
  }
  return table(
    KINDS.housekeeping,
    [
      { title: "What it is", cell: ({ reason }) => reason },
      { title: "From", cell: ({ clients }) => plural(clients.size, "source") },
      { title: "Flows", isNumber: true, cell: ({ flows }) => formatCount(flows) },
    ],
    [...byReason.values()],
    "heard",
  );
}

/** Everything seen that no rule covers, by what a reviewer has to do about it. */
export function excludedSection(proposal: Proposal): Markup {
  const kinds = (Object.keys(KINDS) as Exclusion["kind"][]).filter((kind) =>
    proposal.exclusions.some((exclusion) => exclusion.kind === kind),
  );
  const of = (kind: Exclusion["kind"]) => proposal.exclusions.filter((exclusion) => exclusion.kind === kind);
  return html`<h2 id="excluded">What was excluded, and why</h2>
${kinds.length === 0 ? paragraph("Nothing: every conversation seen is covered by a rule.") : []}
${kinds.map(
  (kind) => html`<h3>${KINDS[kind]}</h3>
${kind === "housekeeping" ? housekeepingTable(of(kind)) : table<Exclusion>(KINDS[kind], COLUMNS, of(kind), "heard")}`,
)}`;
}
