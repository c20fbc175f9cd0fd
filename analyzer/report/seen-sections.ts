import type { Graph, GraphEdge } from "../../model/graph.js";
import type { Inventory } from "../../model/workload.js";
import type { SensorStatus } from "../explorer.js";
import type { Proposal } from "../proposal.js";
import { html, type Markup, paragraph } from "./markup.js";
import { roleMap } from "./role-map.js";
import { sensorTables } from "./sensor-tables.js";
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
${sensorTables(sensors, gaps)}`;
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
