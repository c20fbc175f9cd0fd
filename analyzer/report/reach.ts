import type { Graph, GraphEdge } from "../../model/graph.js";
import { parseProtocol } from "../../model/protocol.js";
import type { Inventory } from "../../model/workload.js";
import { servicePoint } from "../../policy/decision/service-line.js";
import { ALLOWED } from "../../policy/decision/verdict-map.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { compilePolicy } from "../../policy/verdict.js";

/** Sources taken into account at most; above, every n-th workload speaks for all. */
const SOURCES = 1000;

/** Hosts that a source can reach, averaged over sources. */
export interface ReachFigures {
  readonly cells: number; // (source, service) pairs that are open
  readonly segmentedness: number; // 1 - share of open cells, 0 flat .. 1 nothing open
  readonly direct: number; // mean hosts with at least one service open to the source
  readonly transitive: number; // mean hosts reachable in any number of steps, each host a stepping stone
  readonly transitive95: number; // 95th percentile of the same
}

export interface ReachComparison {
  readonly sources: number;
  readonly workloads: number; // of these, how many there are; more than sources when they were sampled
  readonly services: number; // distinct (server, protocol, port) that answered somebody
  readonly observed: number; // cells that were really used
  readonly flat: ReachFigures;
  readonly policy: ReachFigures; // the proposal in deny mode
}

interface Listener {
  readonly server: number; // index into workloads
  readonly service: number; // servicePoint
}

const mean = (numbers: readonly number[]) =>
  numbers.length === 0 ? 0 : numbers.reduce((a, b) => a + b, 0) / numbers.length;

function percentile95(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? 0;
}

function countReachable(open: readonly (readonly number[])[], source: number): number {
  const seen = new Uint8Array(open.length);
  const queue = [source];
  seen[source] = 1;
  for (let at = 0; at < queue.length; at++) {
    for (const next of open[queue[at] as number] as readonly number[]) {
      if (seen[next] === 0) {
        seen[next] = 1;
        queue.push(next);
      }
    }
  }
  return queue.length - 1;
}

const isAnswered = (edge: GraphEdge) => edge.flows.answered > 0;

/**
 * Before and after, on (source, service) cells: which workload can open a flow to which service that really listens.
 * "Flat" is a network without policy, where every source reaches every service. Pairs of hosts alone would show little
 * gain, since one open service joins a pair.
 * @param graph at workload level
 */
export function compareReach(graph: Graph, policySet: PolicySet, inventory: Inventory): ReachComparison {
  const ids = inventory.workloads.map(({ id }) => id);
  const index = new Map(ids.map((id, i) => [`workload:${id}`, i]));
  const listeners = new Map<string, Listener>();
  const used = new Set<string>();
  for (const edge of graph.edges) {
    const server = index.get(edge.server);
    if (server === undefined || !isAnswered(edge)) continue;
    const key = `${edge.server}/${edge.protocol}/${edge.port}`;
    listeners.set(key, { server, service: servicePoint(parseProtocol(edge.protocol), edge.port) });
    if (index.has(edge.client) && edge.client !== edge.server) used.add(`${edge.client}>${key}`);
  }
  const services = [...listeners.values()];
  const offering = new Set(services.map(({ server }) => server));
  const step = Math.max(1, Math.ceil(ids.length / SOURCES));
  const sources = ids.map((_, i) => i).filter((i) => i % step === 0);

  const compiled = compilePolicy(policySet, inventory);
  const points = ids.map((id) => compiled.pointOfWorkload(id));
  const openFrom = (source: number) =>
    services.filter(
      ({ server, service }) =>
        server !== source && compiled.code(points[source] as number, points[server] as number, service) === ALLOWED,
    );
  let policyCells = 0;
  let flatCells = 0;
  const open = ids.map((_, source) => {
    const reached = openFrom(source);
    if (source % step === 0) {
      policyCells += reached.length;
      flatCells += services.filter(({ server }) => server !== source).length;
    }
    return [...new Set(reached.map(({ server }) => server))];
  });
  const transitive = sources.map((source) => countReachable(open, source));
  // Without policy one step is enough: whoever listens is reached, and nobody else ever is.
  const flat = sources.map((source) => offering.size - (offering.has(source) ? 1 : 0));
  return {
    sources: sources.length,
    workloads: ids.length,
    services: services.length,
    observed: used.size,
    flat: {
      cells: flatCells,
      segmentedness: 0,
      direct: mean(flat),
      transitive: mean(flat),
      transitive95: percentile95(flat),
    },
    policy: {
      cells: policyCells,
      segmentedness: flatCells === 0 ? 0 : 1 - policyCells / flatCells,
      direct: mean(sources.map((source) => (open[source] as readonly number[]).length)),
      transitive: mean(transitive),
      transitive95: percentile95(transitive),
    },
  };
}
