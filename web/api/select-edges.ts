import type { EdgeState, Graph, GraphEdge, GraphNode } from "../../model/graph.js";
import type { EdgePredicate, EdgeSubject } from "../../model/graph-query-match.js";

/** Flows of every outcome. */
export function flowCount(edge: GraphEdge): number {
  return edge.flows.answered + edge.flows.refused + edge.flows.unanswered + edge.flows.midstream;
}

export function byteCount(edge: GraphEdge): number {
  return edge.clientBytes + edge.serverBytes;
}

/** `tcp/443`; the port of ICMP is its type. */
export function serviceOf(edge: GraphEdge): string {
  return `${edge.protocol}/${edge.port}`;
}

/** The edges of one query, with both ends, in the graph's order. Every view of the explorer starts here. */
export interface Selection {
  readonly subjects: readonly EdgeSubject[];
  readonly counts: Readonly<Record<EdgeState, number>>;
  readonly nodeCount: number; // of the graph, not of the query
}

export function noCounts(): Record<EdgeState, number> {
  return { allowed: 0, quarantined: 0, undecided: 0, excluded: 0 };
}

/** @throws {RangeError} If an edge names a node that the graph does not hold. */
export function selectEdges(graph: Graph, matches: EdgePredicate): Selection {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const node = (id: string): GraphNode => {
    const found = nodes.get(id);
    if (found === undefined)
      throw new RangeError(`Cannot read the graph's node "${id}": an edge names it, no node has it`);
    return found;
  };
  const subjects: EdgeSubject[] = [];
  const counts = noCounts();
  for (const edge of graph.edges) {
    const subject = { edge, client: node(edge.client), server: node(edge.server) };
    if (!matches(subject)) continue;
    subjects.push(subject);
    counts[edge.state]++;
  }
  return { subjects, counts, nodeCount: graph.nodes.length };
}
