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
  readonly client: number; // index among the marks, which are sorted by id
  readonly server: number;
  readonly state: EdgeState;
  readonly hub: number | undefined;
  edges: number;
  flows: number;
  bytes: number;
  readonly edge: string; // the first one's id
  readonly services: { readonly name: string; flows: number }[];
}

const STATES: readonly EdgeState[] = ["quarantined", "undecided", "allowed", "excluded"]; // most urgent first

function linkOf(draft: LinkDraft, marks: readonly ChosenMark[]): Link {
  const services = draft.services.sort((a, b) => b.flows - a.flows || (a.name < b.name ? -1 : 1));
  const client = (marks[draft.client] as ChosenMark).id;
  const server = (marks[draft.server] as ChosenMark).id;
  return {
    id: `${client}>${server} ${draft.state}${draft.hub === undefined ? "" : " hub"}`,
    client,
    server,
    state: draft.state,
    edges: draft.edges,
    flows: draft.flows,
    bytes: draft.bytes,
    services: services.slice(0, SERVICES_SHOWN).map(({ name }) => name),
    serviceCount: services.length,
    ...(draft.edges === 1 ? { edge: draft.edge } : {}),
    ...(draft.hub === undefined ? {} : { hub: draft.hub }),
  };
}

/** The selection's edges gathered between marks. Keys are numbers: ids are long, and there may be tens of thousands. */
function draftLinks(
  selection: Selection,
  { marks, markOf }: ChosenMarks,
  hubIndex: ReadonlyMap<string, number>,
): LinkDraft[] {
  const indexOf = new Map(marks.map((mark, i) => [mark, i]));
  const drafts = new Map<number, LinkDraft>();
  for (const { edge } of selection.subjects) {
    const from = markOf.get(edge.client) as ChosenMark;
    const to = markOf.get(edge.server) as ChosenMark;
    if (from === to && from.kind !== "node") continue; // within one gathered mark: nothing to draw
    const hub = from === to ? undefined : hubIndex.get(edge.server);
    const client = indexOf.get(from) as number;
    const server = indexOf.get(to) as number;
    const kind = STATES.indexOf(edge.state) + STATES.length * (hub === undefined ? 0 : hub + 1);
    const key = (client * marks.length + server) * STATES.length * (hubIndex.size + 1) + kind;
    const name = serviceOf(edge);
    const flows = flowCount(edge);
    const draft = drafts.get(key);
    if (draft === undefined) {
      const start = { edges: 1, flows, bytes: byteCount(edge), edge: edge.id, services: [{ name, flows }] };
      drafts.set(key, { client, server, state: edge.state, hub, ...start });
      continue;
    }
    draft.edges++;
    draft.flows += flows;
    draft.bytes += byteCount(edge);
    const service = draft.services.find((known) => known.name === name);
    if (service === undefined) draft.services.push({ name, flows });
    else service.flows += flows;
  }
  return [...drafts.values()];
}

const byPlace = (a: LinkDraft, b: LinkDraft) =>
  a.client - b.client ||
  a.server - b.server ||
  STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
  (a.hub ?? -1) - (b.hub ?? -1);

function mostUrgent(drafts: LinkDraft[], limit: number): LinkDraft[] {
  const urgency = (draft: LinkDraft) => STATES.indexOf(draft.state);
  return drafts.sort((a, b) => urgency(a) - urgency(b) || b.flows - a.flows || byPlace(a, b)).slice(0, limit);
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
  const drafts = draftLinks(selection, chosen, hubIndex);
  const kept = wishes.open === "all" || drafts.length <= LINK_LIMIT ? drafts : mostUrgent(drafts, LINK_LIMIT);
  kept.sort(byPlace);
  const links = kept.map((draft) => linkOf(draft, chosen.marks));
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
