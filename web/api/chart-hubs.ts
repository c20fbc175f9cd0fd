import type { Graph } from "../../model/graph.js";
import { islandOf } from "./choose-marks.js";

const ISLAND_SHARE = 0.25;
const LEAST_ISLANDS = 3;
const MANY_ISLANDS = 16; // with fewer, a quarter of the islands is nobody in particular, so callers are counted too
const CALLER_SHARE = 1 / 3;

/**
 * Servers that so many islands call that their links would cover the map (DNS, metrics): they become badges at
 * their callers. Counted on the whole graph, so that a query does not change who is a hub. Sorted by node id.
 */
export function findHubs(graph: Graph, grouping: string): string[] {
  const islandByNode = new Map(graph.nodes.map((node) => [node.id, islandOf(node, grouping)]));
  const islandCount = new Set(islandByNode.values()).size;
  const calls = new Map<string, { islands: Set<string>; callers: Set<string> }>();
  for (const { client, server } of graph.edges) {
    const from = islandByNode.get(client);
    if (from === undefined || from === islandByNode.get(server)) continue;
    let call = calls.get(server);
    if (call === undefined) {
      call = { islands: new Set(), callers: new Set() };
      calls.set(server, call);
    }
    call.islands.add(from);
    call.callers.add(client);
  }
  const leastIslands = Math.max(LEAST_ISLANDS, islandCount * ISLAND_SHARE);
  const leastCallers = islandCount < MANY_ISLANDS ? graph.nodes.length * CALLER_SHARE : 0;
  return [...calls]
    .filter(([, { islands, callers }]) => islands.size >= leastIslands && callers.size >= leastCallers)
    .map(([id]) => id)
    .sort();
}
