import type { EdgeState, Graph, GraphNode } from "../../model/graph.js";
import { LAYOUT_VERSION, type LayoutInput } from "../layout/chart-layout.js";
import { findHubs } from "./chart-hubs.js";
import { type ChosenMark, type ChosenMarks, chooseMarks, islandOf } from "./choose-marks.js";
import { type Link, MARK_LIMIT, type MapAnswer, type Mark } from "./contract.js";
import { byteCount, flowCount, type Selection, serviceOf } from "./select-edges.js";

export interface MapWishes {
  readonly grouping: string;
  readonly open: readonly string[] | "all";
  readonly closed: readonly string[];
  readonly hubs: "badges" | "links";
}

const LINK_LIMIT = 600; // beyond it a map is a hairball; the table still has every edge
const SERVICES_SHOWN = 4;
const NEED_WEIGHT = 8;
const NOISE_WEIGHT = 1;

/** What to lay out: the whole graph, so that neither a query nor a window ever moves anything. */
export function layoutInputOf(graph: Graph, grouping: string): LayoutInput {
  const hubs = new Set(findHubs(graph, grouping));
  const weights = new Map<string, { client: string; server: string; weight: number }>();
  for (const { client, server, state } of graph.edges) {
    if (hubs.has(server)) continue;
    const key = `${client}\n${server}`;
    const link = weights.get(key);
    // A scan touches everybody on many ports; what belongs together must not be pulled apart by it.
    const weight = state === "excluded" ? NOISE_WEIGHT : NEED_WEIGHT;
    if (link === undefined) weights.set(key, { client, server, weight });
    else link.weight = Math.max(link.weight, weight);
  }
  return {
    nodes: graph.nodes.map((node) => ({ id: node.id, group: islandOf(node, grouping) })),
    links: [...weights.values()],
  };
}

/** The marks of a selection: nodes at which one of its edges ends are wanted; without a query, all nodes are. */
export function marksOf(graph: Graph, selection: Selection, wishes: MapWishes, isFiltered: boolean): ChosenMarks {
  const ends = new Set<string>();
  for (const { edge } of selection.subjects) {
    ends.add(edge.client);
    ends.add(edge.server);
  }
  const isWanted = (node: GraphNode) => !isFiltered || ends.has(node.id);
  return chooseMarks(graph.nodes, { ...wishes, isWanted, limit: MARK_LIMIT });
}

interface LinkDraft {
  readonly client: string;
  readonly server: string;
  readonly state: EdgeState;
  readonly hub: number | undefined;
  edges: number;
  flows: number;
  bytes: number;
  edge: string;
  readonly services: Map<string, number>;
}

const URGENCY: Readonly<Record<EdgeState, number>> = { quarantined: 0, undecided: 1, allowed: 2, excluded: 3 };

function linkOf(draft: LinkDraft): Link {
  const services = [...draft.services]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([service]) => service);
  return {
    id: `${draft.client}>${draft.server} ${draft.state}${draft.hub === undefined ? "" : " hub"}`,
    client: draft.client,
    server: draft.server,
    state: draft.state,
    edges: draft.edges,
    flows: draft.flows,
    bytes: draft.bytes,
    services: services.slice(0, SERVICES_SHOWN),
    serviceCount: services.length,
    ...(draft.edges === 1 ? { edge: draft.edge } : {}),
    ...(draft.hub === undefined ? {} : { hub: draft.hub }),
  };
}

function draftLinks(selection: Selection, markOf: ChosenMarks["markOf"], hubIndex: ReadonlyMap<string, number>) {
  const drafts = new Map<string, LinkDraft>();
  for (const { edge } of selection.subjects) {
    const client = markOf.get(edge.client) as ChosenMark;
    const server = markOf.get(edge.server) as ChosenMark;
    if (client === server && client.kind !== "node") continue; // within one gathered mark: nothing to draw
    const hub = client === server ? undefined : hubIndex.get(edge.server);
    const key = `${client.id}\n${server.id}\n${edge.state}\n${hub ?? ""}`;
    let draft = drafts.get(key);
    if (draft === undefined) {
      const ends = { client: client.id, server: server.id, state: edge.state, hub };
      draft = { ...ends, edges: 0, flows: 0, bytes: 0, edge: edge.id, services: new Map() };
      drafts.set(key, draft);
    }
    draft.edges++;
    draft.flows += flowCount(edge);
    draft.bytes += byteCount(edge);
    draft.services.set(serviceOf(edge), (draft.services.get(serviceOf(edge)) ?? 0) + flowCount(edge));
  }
  return [...drafts.values()];
}

function markLabel(mark: ChosenMark): string {
  if (mark.kind === "node") return mark.nodes[0]?.label ?? mark.id;
  if (mark.kind === "island") return mark.island;
  return mark.island === "" ? `${mark.nodes.length} nodes of other islands` : `${mark.nodes.length} more`;
}

const NOWHERE = { x: 0, y: 0, radius: 0 };

/** The bounded map of one selection, not yet placed; `whole` is the graph over all time, which is what is laid out. */
export function chartMap(
  whole: Graph,
  selection: Selection,
  wishes: MapWishes,
  isFiltered: boolean,
  revision: number,
): MapAnswer {
  const chosen = marksOf(whole, selection, wishes, isFiltered);
  const hubIds = wishes.hubs === "badges" ? findHubs(whole, wishes.grouping) : [];
  const hubIndex = new Map(hubIds.map((id, index) => [id, index]));
  const drafts = draftLinks(selection, chosen.markOf, hubIndex);
  drafts.sort((a, b) => URGENCY[a.state] - URGENCY[b.state] || b.flows - a.flows || (a.client < b.client ? -1 : 1));
  const isBounded = wishes.open !== "all";
  const links = (isBounded ? drafts.slice(0, LINK_LIMIT) : drafts).map(linkOf).sort((a, b) => (a.id < b.id ? -1 : 1));
  const linkedEdges = links.reduce((sum, link) => sum + link.edges, 0);

  const ends = new Set<string>();
  const calls = new Map<string, Set<number>>(); // by mark: the hubs it calls
  const hubCalls = hubIds.map(() => ({ callers: new Set<string>(), edges: 0 }));
  for (const { edge } of selection.subjects) {
    ends.add(edge.client);
    ends.add(edge.server);
    const index = hubIndex.get(edge.server);
    if (index === undefined) continue;
    const caller = (chosen.markOf.get(edge.client) as ChosenMark).id;
    const tally = hubCalls[index] as (typeof hubCalls)[number];
    tally.edges++;
    tally.callers.add(caller);
    calls.set(caller, (calls.get(caller) ?? new Set()).add(index));
  }
  const labels = new Map(whole.nodes.map((node) => [node.id, node.label]));
  const hubs = hubIds.map((id, index) => ({
    mark: chosen.markOf.get(id)?.id ?? "",
    label: labels.get(id) ?? id,
    callers: hubCalls[index]?.callers.size ?? 0,
    edges: hubCalls[index]?.edges ?? 0,
  }));

  const marks = chosen.marks.map(
    (mark): Mark => ({
      id: mark.id,
      kind: mark.kind === "node" ? (mark.nodes[0] as GraphNode).kind : mark.kind,
      label: markLabel(mark),
      island: mark.island,
      nodes: mark.nodes.length,
      ...NOWHERE,
      isMatch: mark.nodes.some((node) => ends.has(node.id)),
      hubs: [...(calls.get(mark.id) ?? [])].sort((a, b) => a - b),
    }),
  );
  const shownNodes = chosen.marks.filter((mark) => mark.kind === "node").length;
  const totalEdges = selection.subjects.length;
  return {
    revision,
    counts: selection.counts,
    layoutVersion: LAYOUT_VERSION,
    layoutHash: "",
    bounds: { x: 0, y: 0, width: 0, height: 0 },
    islands: [...chosen.islands].map(([id, { nodes, isOpen }]) => ({
      id,
      label: id,
      ...NOWHERE,
      nodes: nodes.length,
      isOpen,
    })),
    marks,
    links,
    hubs,
    shown: { nodes: shownNodes, edges: linkedEdges },
    hidden: { nodes: whole.nodes.length - shownNodes, edges: totalEdges - linkedEdges },
    total: { nodes: whole.nodes.length, edges: totalEdges },
  };
}
