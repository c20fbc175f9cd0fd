import type { Proposal } from "../../../analyzer/proposal.js";
import type { ConversationWindow, EndIdentity } from "../../../model/conversation.js";
import { GRAPH_VERSION, type Graph, type GraphEdge, type GraphNode } from "../../../model/graph.js";
import { formatProtocol } from "../../../model/protocol.js";

/** A workload graph of windows, enough for a report; every answered edge counts as allowed unless it is excluded. */
export function graphOf(windows: readonly ConversationWindow[], { exclusions }: Proposal): Graph {
  const nodeId = (identity: EndIdentity) =>
    identity.kind === "workload" ? `workload:${identity.id}` : `group:${identity.name}`;
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  for (const row of windows) {
    const client = nodeId(row.clientIdentity);
    const server = nodeId(row.serverIdentity);
    for (const id of [client, server]) {
      const label = id.slice(id.indexOf(":") + 1);
      const kind = id.startsWith("group:") ? "group" : "workload";
      nodes.set(id, { id, kind, label, labels: {}, members: [label], memberCount: 1 });
    }
    const protocol = formatProtocol(row.protocol);
    const id = `${client}>${server}/${protocol}/${row.serverPort}`;
    const known = edges.get(id);
    const isExcluded = exclusions.some(
      (exclusion) => client.endsWith(`:${exclusion.client}`) && exclusion.ports.includes(row.serverPort),
    );
    edges.set(id, {
      id,
      client,
      server,
      protocol,
      port: row.serverPort,
      flows: {
        answered: (known?.flows.answered ?? 0) + row.flows.answered,
        refused: (known?.flows.refused ?? 0) + row.flows.refused,
        unanswered: (known?.flows.unanswered ?? 0) + row.flows.unanswered,
        midstream: (known?.flows.midstream ?? 0) + row.flows.midstream,
      },
      clientPackets: (known?.clientPackets ?? 0) + row.clientPackets,
      serverPackets: (known?.serverPackets ?? 0) + row.serverPackets,
      clientBytes: (known?.clientBytes ?? 0) + row.clientBytes,
      serverBytes: (known?.serverBytes ?? 0) + row.serverBytes,
      firstSeenUs: Math.min(known?.firstSeenUs ?? row.firstSeenUs, row.firstSeenUs),
      lastSeenUs: Math.max(known?.lastSeenUs ?? row.lastSeenUs, row.lastSeenUs),
      windows: (known?.windows ?? 0) + 1,
      observers: row.observers,
      names: row.names,
      state: isExcluded ? "excluded" : "allowed",
      reason: "",
      rules: [],
    });
  }
  const byId = <T extends { readonly id: string }>(items: Iterable<T>) =>
    [...items].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    version: GRAPH_VERSION,
    level: "workload",
    fromUs: Math.min(...windows.map((row) => row.firstSeenUs)),
    untilUs: Math.max(...windows.map((row) => row.lastSeenUs)),
    nodes: byId(nodes.values()),
    edges: byId(edges.values()),
  };
}
