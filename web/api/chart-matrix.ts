import type { EdgeState, Graph } from "../../model/graph.js";
import { type MapWishes, marksOf } from "./chart-map.js";
import type { ChosenMark } from "./choose-marks.js";
import type { MatrixAnswer } from "./contract.js";
import { flowCount, noCounts, type Selection, serviceOf } from "./select-edges.js";

type Cell = MatrixAnswer["cells"][number];

const BY_URGENCY: readonly EdgeState[] = ["quarantined", "undecided", "allowed", "excluded"];

function labelOf(mark: ChosenMark): string {
  if (mark.kind === "node") return mark.nodes[0]?.label ?? mark.id;
  return mark.kind === "island" ? mark.island : `${mark.nodes.length} more`;
}

/**
 * Clients against servers, with the same marks as the map: rows and columns by island, then by how many cells they
 * fill. Edges within a gathered mark stand on its diagonal, so nothing is hidden here.
 */
export function chartMatrix(
  whole: Graph,
  selection: Selection,
  wishes: MapWishes,
  isFiltered: boolean,
  revision: number,
): MatrixAnswer {
  const { marks, markOf } = marksOf(whole, selection, wishes, isFiltered);
  const drafts = new Map<
    string,
    { client: ChosenMark; server: ChosenMark; edges: Selection["subjects"][number]["edge"][] }
  >();
  const filled = { clients: new Map<ChosenMark, number>(), servers: new Map<ChosenMark, number>() };
  for (const { edge } of selection.subjects) {
    const client = markOf.get(edge.client) as ChosenMark;
    const server = markOf.get(edge.server) as ChosenMark;
    const key = `${client.id}\n${server.id}`;
    const draft = drafts.get(key);
    if (draft !== undefined) {
      draft.edges.push(edge);
      continue;
    }
    drafts.set(key, { client, server, edges: [edge] });
    filled.clients.set(client, (filled.clients.get(client) ?? 0) + 1);
    filled.servers.set(server, (filled.servers.get(server) ?? 0) + 1);
  }
  const order = (counts: ReadonlyMap<ChosenMark, number>) =>
    [...counts.keys()].sort(
      (a, b) =>
        (a.island !== b.island ? (a.island < b.island ? -1 : 1) : 0) ||
        (counts.get(b) ?? 0) - (counts.get(a) ?? 0) ||
        (a.id < b.id ? -1 : 1),
    );
  const clients = order(filled.clients);
  const servers = order(filled.servers);
  const rowOf = new Map(clients.map((mark, i) => [mark, i]));
  const columnOf = new Map(servers.map((mark, i) => [mark, i]));
  const cells = [...drafts.values()].map(({ client, server, edges }): Cell => {
    const counts = noCounts();
    const services = new Map<string, number>();
    let flows = 0;
    for (const edge of edges) {
      counts[edge.state]++;
      flows += flowCount(edge);
      services.set(serviceOf(edge), (services.get(serviceOf(edge)) ?? 0) + flowCount(edge));
    }
    const busiest = [...services].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
    return {
      row: rowOf.get(client) as number,
      column: columnOf.get(server) as number,
      state: BY_URGENCY.find((state) => counts[state] > 0) as EdgeState,
      counts,
      edges: edges.length,
      flows,
      services: busiest.slice(0, 4),
      ...(edges.length === 1 ? { edge: (edges[0] as { id: string }).id } : {}),
    };
  });
  cells.sort((a, b) => a.row - b.row || a.column - b.column);
  const head = (mark: ChosenMark) => ({ id: mark.id, label: labelOf(mark), island: mark.island });
  const shownNodes = marks.filter((mark) => mark.kind === "node").length;
  return {
    revision,
    counts: selection.counts,
    clients: clients.map(head),
    servers: servers.map(head),
    cells,
    shown: { nodes: shownNodes, edges: selection.subjects.length },
    hidden: { nodes: whole.nodes.length - shownNodes, edges: 0 },
  };
}
