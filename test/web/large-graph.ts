import type { ExplorerSource } from "../../analyzer/explorer.js";
import type { EdgeState, Graph, GraphEdge, GraphNode } from "../../model/graph.js";
import { companySource, dice, HOUR, START_US } from "./company.js";

const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);

/** Many namespaces of power-law size, for bounds and speed: `nodes` workloads and about `edges` edges. */
export function largeSource(nodes: number, edges: number): ExplorerSource {
  const roll = dice(5);
  const namespaces = Math.max(2, Math.round(0.85 * Math.sqrt(nodes)));
  const members: GraphNode[] = Array.from({ length: nodes }, (_, i) => {
    const namespace = `ns-${String(Math.floor(namespaces * roll() * roll())).padStart(3, "0")}`;
    const name = `w-${String(i).padStart(5, "0")}`;
    const labels = { app: `app-${i % 40}` };
    return {
      id: `workload:${namespace}/${name}`,
      kind: "workload",
      label: name,
      namespace,
      labels,
      members: [`${namespace}/${name}`],
      memberCount: 1,
    };
  });
  const byNamespace = new Map<string, GraphNode[]>();
  for (const node of members)
    byNamespace.set(node.namespace ?? "", [...(byNamespace.get(node.namespace ?? "") ?? []), node]);
  const pick = <T>(list: readonly T[]) => list[Math.floor(roll() * list.length)] as T;
  const hubs = members.slice(0, 5);
  const made = new Map<string, GraphEdge>();
  for (let i = 0; i < edges; i++) {
    const client = pick(members);
    const luck = roll();
    const server =
      luck < 0.62 ? pick(byNamespace.get(client.namespace ?? "") ?? members) : luck < 0.82 ? pick(hubs) : pick(members);
    const state: EdgeState = roll() < 0.94 ? "allowed" : roll() < 0.5 ? "excluded" : "quarantined";
    const port = 8000 + Math.floor(roll() * 20);
    const id = `${client.id}>${server.id}/tcp/${port}`;
    const flows = { answered: Math.ceil(roll() * 500), refused: 0, unanswered: 0, midstream: 0 };
    made.set(id, {
      id,
      client: client.id,
      server: server.id,
      protocol: "tcp",
      port,
      flows,
      clientPackets: flows.answered * 5,
      serverPackets: flows.answered * 4,
      clientBytes: flows.answered * 600,
      serverBytes: flows.answered * 4000,
      firstSeenUs: START_US,
      lastSeenUs: START_US + HOUR,
      windows: 2,
      observers: ["node-a"],
      names: [],
      state,
      reason: "Seen in two windows.",
      rules: state === "allowed" ? ["rule-1"] : [],
    });
  }
  const base = companySource();
  const graph: Graph = {
    version: 1,
    level: "workload",
    fromUs: START_US,
    untilUs: START_US + 30 * HOUR,
    nodes: [...members].sort(byId),
    edges: [...made.values()].sort(byId),
  };
  return {
    ...base,
    graph: async (level) => (level === "workload" ? graph : base.graph(level, {})),
    async edge(_level, id) {
      const edge = made.get(id);
      return edge === undefined ? undefined : { edge, samples: [], windows: [] };
    },
  };
}
