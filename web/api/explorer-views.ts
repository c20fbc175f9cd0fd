import type { ExplorerSource, TimeSpan } from "../../analyzer/explorer.js";
import type { EdgeState, Graph, GraphLevel, GraphNode } from "../../model/graph.js";
import { parseGraphQuery } from "../../model/graph-query.js";
import { type Completions, completeGraphQuery } from "../../model/graph-query-complete.js";
import { compileGraphQuery, type EdgeSubject, facetTexts } from "../../model/graph-query-match.js";
import { type ChartLayout, type LayoutInput, layoutChart } from "../layout/chart-layout.js";
import { placeMap } from "../layout/place-map.js";
import { chartMap, layoutInputOf } from "./chart-map.js";
import { chartMatrix } from "./chart-matrix.js";
import type { EdgesAnswer, EdgesParams, MapAnswer, MapParams, MatrixAnswer, ViewParams } from "./contract.js";
import { byteCount, flowCount, noCounts, type Selection, selectEdges } from "./select-edges.js";

const CACHED_GRAPHS = 12;
const SERVER_LAYOUT_LIMIT = 1500; // nodes; about 0.1 s

export interface View {
  readonly whole: Graph; // over all time: what is laid out and counted as context
  readonly selection: Selection;
  readonly isFiltered: boolean;
  readonly revision: number;
}

type SortKey = (subject: EdgeSubject) => string | number;

const STATE_ORDER: Readonly<Record<EdgeState, number>> = { quarantined: 0, undecided: 1, allowed: 2, excluded: 3 };

const SORT_KEYS: Readonly<Record<EdgesParams["sort"], SortKey>> = {
  state: ({ edge }) => STATE_ORDER[edge.state],
  client: ({ client }) => client.label,
  server: ({ server }) => server.label,
  service: ({ edge }) => `${edge.protocol}/${String(edge.port).padStart(5, "0")}`,
  flows: ({ edge }) => flowCount(edge),
  failed: ({ edge }) => edge.flows.refused + edge.flows.unanswered,
  bytes: ({ edge }) => byteCount(edge),
  first: ({ edge }) => edge.firstSeenUs,
  last: ({ edge }) => edge.lastSeenUs,
  windows: ({ edge }) => edge.windows,
};

/** Reads a comma-separated list of URI-encoded names. */
export function parseNameList(text: string): string[] {
  if (text === "") return [];
  return text.split(",").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw new SyntaxError(`Cannot read the island name "${part}": wanted URI-encoded text`);
    }
  });
}

function spanOf(params: { from?: number | undefined; until?: number | undefined }): TimeSpan {
  return {
    ...(params.from === undefined ? {} : { fromUs: params.from }),
    ...(params.until === undefined ? {} : { untilUs: params.until }),
  };
}

/** Nodes of `view` that arrived after `whole` was read are added, so that every edge has both ends. */
function withNodesOf(whole: Graph, view: Graph): Graph {
  const known = new Set(whole.nodes.map(({ id }) => id));
  const late = view.nodes.filter(({ id }) => !known.has(id));
  return late.length === 0 ? whole : { ...whole, nodes: [...whole.nodes, ...late] };
}

/** The explorer's questions over an analyzer's answers, with what is dear (graphs, layouts) kept per revision. */
export class ExplorerViews {
  private readonly graphs = new Map<string, Promise<Graph>>();
  private readonly layouts = new Map<string, { revision: number; layout: ChartLayout }>();
  private readonly vocabularies = new Map<string, ReadonlyMap<string, readonly { value: string; edges: number }[]>>();

  constructor(private readonly source: ExplorerSource) {}

  graph(level: GraphLevel, span: TimeSpan): Promise<Graph> {
    const key = `${this.source.revision()} ${level} ${span.fromUs ?? ""} ${span.untilUs ?? ""}`;
    const cached = this.graphs.get(key);
    if (cached !== undefined) {
      this.graphs.delete(key);
      this.graphs.set(key, cached);
      return cached;
    }
    const asked = this.source.graph(level, span);
    this.graphs.set(key, asked);
    asked.catch(() => this.graphs.delete(key));
    for (const oldest of this.graphs.keys()) {
      if (this.graphs.size <= CACHED_GRAPHS) break;
      this.graphs.delete(oldest);
    }
    return asked;
  }

  /** @throws {GraphQueryError} If the query cannot be read. */
  async view(params: ViewParams): Promise<View> {
    const query = parseGraphQuery(params.q);
    const span = spanOf(params);
    const revision = this.source.revision();
    const [whole, graph] = await Promise.all([this.graph(params.level, {}), this.graph(params.level, span)]);
    const isFiltered = query.kind !== "all" || span.fromUs !== undefined || span.untilUs !== undefined;
    const selection = selectEdges(graph, compileGraphQuery(query));
    return { whole: withNodesOf(whole, graph), selection, isFiltered, revision };
  }

  async map(params: MapParams): Promise<MapAnswer> {
    const { whole, selection, isFiltered, revision } = await this.view(params);
    const wishes = {
      grouping: params.group,
      open: params.open === "*" ? ("all" as const) : parseNameList(params.open),
      closed: parseNameList(params.closed),
      hubs: params.hubs,
    };
    const map = chartMap(whole, selection, wishes, isFiltered, revision);
    // A large layout would keep this process from its data: the page does it, with the same module and the same result.
    if (whole.nodes.length > SERVER_LAYOUT_LIMIT) return map;
    return placeMap(map, this.layout(whole, params.level, params.group, revision));
  }

  /** What a page lays out itself when the map comes without positions. */
  async layoutInput(level: GraphLevel, grouping: string): Promise<LayoutInput> {
    return layoutInputOf(await this.graph(level, {}), grouping);
  }

  async matrix(params: Omit<MapParams, "hubs">): Promise<MatrixAnswer> {
    const { whole, selection, isFiltered, revision } = await this.view(params);
    const open = params.open === "*" ? [] : parseNameList(params.open);
    const wishes = { grouping: params.group, open, closed: parseNameList(params.closed), hubs: "links" as const };
    return chartMatrix(whole, selection, wishes, isFiltered, revision);
  }

  /** The whole table of a query in the order asked; ties stand in the order of ids. */
  async table(params: ViewParams & Pick<EdgesParams, "sort" | "dir">): Promise<View> {
    const view = await this.view(params);
    const key = SORT_KEYS[params.sort];
    const sign = params.dir === "asc" ? 1 : -1;
    const keyed = view.selection.subjects.map((subject) => ({ subject, key: key(subject) }));
    keyed.sort((a, b) =>
      a.key < b.key ? -sign : a.key > b.key ? sign : a.subject.edge.id < b.subject.edge.id ? -1 : 1,
    );
    return { ...view, selection: { ...view.selection, subjects: keyed.map(({ subject }) => subject) } };
  }

  async page(params: EdgesParams): Promise<EdgesAnswer> {
    const { selection, revision } = await this.table(params);
    const rows = selection.subjects.slice(params.offset, params.offset + params.limit);
    return {
      revision,
      counts: selection.counts,
      total: selection.subjects.length,
      offset: params.offset,
      edges: rows.map(({ edge, client, server }) => ({
        ...edge,
        clientLabel: client.label,
        serverLabel: server.label,
      })),
    };
  }

  async complete(level: GraphLevel, text: string, cursor: number): Promise<Completions> {
    const graph = await this.graph(level, {});
    const key = `${this.source.revision()} ${level}`;
    let vocabulary = this.vocabularies.get(key);
    if (vocabulary === undefined) {
      vocabulary = vocabularyOf(graph);
      this.vocabularies.clear();
      this.vocabularies.set(key, vocabulary);
    }
    const known = vocabulary;
    return completeGraphQuery(text, cursor, (facet) => known.get(facet) ?? []);
  }

  /** Newcomers take free slots and what was placed stays, for as long as this process lives. */
  private layout(whole: Graph, level: GraphLevel, grouping: string, revision: number): ChartLayout {
    const key = `${level} ${grouping}`;
    const before = this.layouts.get(key);
    const isComplete = before !== undefined && before.layout.nodes.length >= whole.nodes.length;
    if (before !== undefined && before.revision === revision && isComplete) return before.layout;
    const input = layoutInputOf(whole, grouping);
    const layout = layoutChart(before === undefined ? input : { ...input, kept: before.layout });
    this.layouts.set(key, { revision, layout });
    return layout;
  }
}

const WORD_FACETS = ["ns", "src", "dst", "node", "app", "state", "proto", "name", "rule", "observer", "kind"];
const END_FACETS = ["src.ns", "dst.ns", "src.app", "dst.app", "src.kind", "dst.kind"];

function vocabularyOf(graph: Graph): ReadonlyMap<string, readonly { value: string; edges: number }[]> {
  const labelKeys = labelKeysOf(graph.nodes);
  const facets = [...WORD_FACETS, ...END_FACETS];
  for (const key of labelKeys) facets.push(`label.${key}`, `src.label.${key}`, `dst.label.${key}`);
  const tallies = new Map(facets.map((facet) => [facet, new Map<string, number>()] as const));
  const ports = new Map<string, number>();
  const readers = facets.map((facet) => ({
    read: facetTexts(facet),
    tally: tallies.get(facet) as Map<string, number>,
  }));
  const { subjects } = selectEdges(graph, () => true);
  for (const subject of subjects) {
    const port = String(subject.edge.port);
    ports.set(port, (ports.get(port) ?? 0) + 1);
    for (const { read, tally } of readers) {
      for (const value of new Set(read(subject))) tally.set(value, (tally.get(value) ?? 0) + 1);
    }
  }
  // Of a node's spellings only the label is offered; the others are for those who know them.
  const labels = new Set(graph.nodes.map(({ label }) => label));
  const listed = (tally: ReadonlyMap<string, number>, isOffered: (value: string) => boolean) =>
    [...tally].filter(([value]) => isOffered(value)).map(([value, edges]) => ({ value, edges }));
  const vocabulary = new Map<string, readonly { value: string; edges: number }[]>();
  for (const [facet, tally] of tallies) {
    const isEnd = facet === "src" || facet === "dst" || facet === "node";
    vocabulary.set(
      facet,
      listed(tally, (value) => !isEnd || labels.has(value)),
    );
  }
  vocabulary.set(
    "port",
    listed(ports, () => true),
  );
  vocabulary.set(
    "label.",
    labelKeys.map((value) => ({ value, edges: 0 })),
  );
  return vocabulary;
}

/** Label keys that nodes carry, sorted. */
export function labelKeysOf(nodes: readonly GraphNode[]): string[] {
  return [...new Set(nodes.flatMap(({ labels }) => Object.keys(labels)))].sort();
}

/** Whole-graph figures for the head of every page. */
export function totalsOf(graph: Graph): { flows: number; counts: Record<EdgeState, number> } {
  const counts = noCounts();
  let flows = 0;
  for (const edge of graph.edges) {
    counts[edge.state]++;
    flows += flowCount(edge);
  }
  return { flows, counts };
}

const CSV_HEADER = [
  "state",
  "client",
  "server",
  "protocol",
  "port",
  "answered",
  "refused",
  "unanswered",
  "midstream",
  "client_bytes",
  "server_bytes",
  "first_seen",
  "last_seen",
  "windows",
  "observers",
  "names",
  "rules",
  "reason",
];

/** The rows of a table for a spreadsheet; times in RFC 3339. */
export function csvRows({ selection }: View): { header: readonly string[]; rows: (string | number)[][] } {
  const time = (us: number) => new Date(us / 1000).toISOString();
  const rows = selection.subjects.map(({ edge, client, server }) => [
    edge.state,
    client.label,
    server.label,
    edge.protocol,
    edge.port,
    edge.flows.answered,
    edge.flows.refused,
    edge.flows.unanswered,
    edge.flows.midstream,
    edge.clientBytes,
    edge.serverBytes,
    time(edge.firstSeenUs),
    time(edge.lastSeenUs),
    edge.windows,
    edge.observers.join(" "),
    edge.names.join(" "),
    edge.rules.join(" "),
    edge.reason,
  ]);
  return { header: CSV_HEADER, rows };
}
