import type { Graph, GraphEdge } from "../../model/graph.js";
import type { Inventory } from "../../model/workload.js";
import type { SensorStatus } from "../explorer.js";
import type { Proposal } from "../proposal.js";
import { html, type Markup, paragraph } from "./markup.js";
import { roleMap } from "./role-map.js";
import { table } from "./table.js";
import { formatBytes, formatCount, formatDuration, formatMoment, plural } from "./words.js";

const nodeName = (id: string) => id.slice(id.indexOf(":") + 1);

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
    ? paragraph("No sensor reported.")
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
    ? paragraph("No gap was reported: what the sensors saw is complete as far as they can tell.")
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
  const isNoise = (edge: GraphEdge) => (edge.state === "excluded" ? 1 : 0);
  const edges = [...graph.edges].sort(
    (a, b) =>
      isNoise(a) - isNoise(b) || b.flows.answered - a.flows.answered || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  return html`<h2 id="seen">What was seen</h2>
${roleMap(graph, proposal) ?? []}
${
  edges.length === 0
    ? paragraph("Nothing.")
    : table<GraphEdge>(
        "Conversations, most used first, excluded ones last",
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
