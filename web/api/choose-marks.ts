import type { GraphNode } from "../../model/graph.js";

/** The island under which addresses without a workload stand. */
export const OUTSIDE = "outside";

/** What makes an island: `namespace`, `kind`, `none` or `label:KEY`. */
export function islandOf(node: GraphNode, grouping: string): string {
  if (grouping === "none") return "all";
  if (grouping === "kind") return node.kind;
  if (node.kind === "group") return OUTSIDE;
  if (grouping === "namespace") return node.namespace ?? "no namespace";
  const key = grouping.slice("label:".length);
  return Object.hasOwn(node.labels, key) ? (node.labels[key] as string) : `no ${key}`;
}

/** A place on the map before it has a position. */
export interface ChosenMark {
  readonly id: string;
  readonly kind: "node" | "island" | "rest";
  readonly island: string;
  readonly nodes: readonly GraphNode[]; // those it stands for, at least one
}

export interface ChosenMarks {
  readonly marks: readonly ChosenMark[]; // sorted by id
  readonly markOf: ReadonlyMap<string, ChosenMark>; // by node id; nodes of context that found no room are absent
  readonly islands: ReadonlyMap<string, { readonly nodes: readonly GraphNode[]; readonly isOpen: boolean }>; // sorted by name
}

export interface MarkWishes {
  readonly grouping: string;
  readonly isWanted: (node: GraphNode) => boolean; // an edge of the query ends here
  readonly open: readonly string[] | "all";
  readonly closed: readonly string[];
  readonly limit: number;
}

/**
 * Decides which nodes stand alone and which are gathered, so that never more than `limit` marks result (unless all are
 * asked for) and every wanted node belongs to exactly one. Islands open by themselves when all nodes fit, or when all
 * wanted ones do; otherwise only those asked for open, and what does not fit of one stands together as its rest.
 */
export function chooseMarks(nodes: readonly GraphNode[], wishes: MarkWishes): ChosenMarks {
  const { grouping, isWanted, limit } = wishes;
  const byIsland = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const name = islandOf(node, grouping);
    const list = byIsland.get(name);
    if (list === undefined) byIsland.set(name, [node]);
    else list.push(node);
  }
  const names = [...byIsland.keys()].sort();
  const wanted = new Map(names.map((name) => [name, (byIsland.get(name) ?? []).filter(isWanted)]));
  const wantedCount = (name: string) => wanted.get(name)?.length ?? 0;
  const asked = new Set(wishes.open === "all" ? names : wishes.open);
  const closed = new Set(wishes.closed);
  const bound = wishes.open === "all" ? Number.POSITIVE_INFINITY : limit;

  // A closed island costs one mark; when all wanted nodes fit beside the islands without any, all of those open.
  const total = names.reduce((sum, name) => sum + Math.max(1, wantedCount(name)), 0);
  const opensItself = (name: string) => nodes.length <= bound || (total <= bound && wantedCount(name) > 0);
  const isOpen = (name: string) => !closed.has(name) && (asked.has(name) || opensItself(name));

  const marks: ChosenMark[] = [];
  const markOf = new Map<string, ChosenMark>();
  const put = (mark: ChosenMark) => {
    marks.push(mark);
    for (const node of mark.nodes) markOf.set(node.id, mark);
  };
  const single = (node: GraphNode, island: string) => put({ id: node.id, kind: "node", island, nodes: [node] });

  // Too many islands for the bound: the ones with the fewest wanted nodes stand together.
  const ranked = [...names].sort(
    (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || wantedCount(b) - wantedCount(a) || (a < b ? -1 : 1),
  );
  const drowned = new Set(ranked.length > bound ? ranked.slice(bound - 1) : []);
  if (drowned.size > 0) {
    const gathered = names.filter((name) => drowned.has(name)).flatMap((name) => byIsland.get(name) ?? []);
    put({ id: "rest:", kind: "rest", island: "", nodes: gathered });
  }
  const afloat = names.filter((name) => !drowned.has(name));
  let room = bound - marks.length - afloat.length; // each island is sure of one mark
  const opened = new Set<string>();
  for (const name of afloat.filter(isOpen)) {
    const members = wanted.get(name) ?? [];
    if (members.length === 0 && bound !== Number.POSITIVE_INFINITY && room < 1) continue;
    opened.add(name);
    if (members.length <= room + 1) {
      for (const node of members) single(node, name);
      room -= Math.max(0, members.length - 1);
    } else {
      for (const node of members.slice(0, room)) single(node, name);
      put({ id: `rest:${name}`, kind: "rest", island: name, nodes: members.slice(room) });
      room = 0;
    }
  }
  for (const name of afloat) {
    const members = byIsland.get(name) ?? [];
    if (opened.has(name)) {
      // What the query does not touch is shown as context while there is room for it.
      const context = members.filter((node) => !isWanted(node));
      const spare = Math.max(0, room + (wantedCount(name) === 0 ? 1 : 0));
      for (const node of context.slice(0, spare)) single(node, name);
      room -= Math.max(0, Math.min(context.length, spare) - (wantedCount(name) === 0 ? 1 : 0));
    } else {
      put({ id: `island:${name}`, kind: "island", island: name, nodes: members });
    }
  }
  marks.sort((a, b) => (a.id < b.id ? -1 : 1));
  const islands = new Map(
    names.map((name) => [name, { nodes: byIsland.get(name) ?? [], isOpen: opened.has(name) }] as const),
  );
  return { marks, markOf, islands };
}
