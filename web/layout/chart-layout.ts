import { type Disc, type Pull, placeIslands } from "./place-islands.js";
import { seatMembers, type Tie } from "./seat-members.js";
import { bestOrigin, islandRadius, islandSlots } from "./slots.js";
import type { Vector } from "./unit-vectors.js";

/** Grows whenever the same input would be placed elsewhere; kept positions of another version are not used. */
export const LAYOUT_VERSION = 1;

export interface LayoutInput {
  readonly nodes: readonly { readonly id: string; readonly group: string }[];
  readonly links: readonly { readonly client: string; readonly server: string; readonly weight: number }[];
  /** An earlier answer: what stood there keeps its place, newcomers take free ones. */
  readonly kept?: ChartLayout;
}

/** An island: a 4 : 3 ellipse around (x, y), `radius` wide on each side, in world units. */
export interface PlacedIsland {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly origin: number; // which brick pattern its slots follow
}

export interface PlacedNode {
  readonly id: string;
  readonly group: string;
  readonly slot: number;
  readonly x: number;
  readonly y: number;
}

/** Where everything stands; islands and nodes sorted by id. `hash` is equal exactly when all positions are. */
export interface ChartLayout {
  readonly version: number;
  readonly islands: readonly PlacedIsland[];
  readonly nodes: readonly PlacedNode[];
  readonly hash: string;
}

const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** FNV-1a over the text of all positions, in two 32-bit halves. */
function hashOf(islands: readonly PlacedIsland[], nodes: readonly PlacedNode[]): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  const feed = (text: string) => {
    for (let i = 0; i < text.length; i++) {
      low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
      high = Math.imul(high ^ text.charCodeAt(i), 0x85ebca6b);
    }
  };
  for (const island of islands) feed(`${island.id}\n${island.x} ${island.y} ${island.radius} ${island.origin}\n`);
  for (const node of nodes) feed(`${node.id}\n${node.slot} ${node.x} ${node.y}\n`);
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return hex(low) + hex(high);
}

interface Member {
  readonly id: string;
  readonly island: number;
  readonly index: number; // among the island's members
}

function islandPulls(members: ReadonlyMap<string, Member>, links: LayoutInput["links"]): Pull[] {
  const weights = new Map<string, Pull>();
  for (const link of links) {
    const client = members.get(link.client)?.island;
    const server = members.get(link.server)?.island;
    if (client === undefined || server === undefined || client === server) continue;
    const [a, b] = client < server ? [client, server] : [server, client];
    const key = `${a} ${b}`;
    weights.set(key, { a, b, weight: (weights.get(key)?.weight ?? 0) + link.weight });
  }
  return [...weights.values()].sort((p, q) => p.a - q.a || p.b - q.b);
}

/**
 * Places a graph as islands, groups first: discs for the groups, then a slot of a brick pattern for each member. The
 * order of the input does not matter, and only exact arithmetic is used, so Node and any browser answer the same bytes.
 * Links to ids that are no nodes are ignored.
 */
export function layoutChart(input: LayoutInput): ChartLayout {
  const kept = input.kept?.version === LAYOUT_VERSION ? input.kept : undefined;
  const keptIslands = new Map(kept?.islands.map((island) => [island.id, island]));
  const keptNodes = new Map(kept?.nodes.map((node) => [node.id, node]));
  const groups = new Map<string, string[]>();
  for (const { id, group } of [...input.nodes].sort(byId)) {
    const ids = groups.get(group);
    if (ids === undefined) groups.set(group, [id]);
    else ids.push(id);
  }
  const names = [...groups.keys()].sort();
  const members = new Map<string, Member>();
  names.forEach((name, island) => {
    groups.get(name)?.forEach((id, index) => members.set(id, { id, island, index }));
  });

  const shapes = names.map((name) => {
    const ids = groups.get(name) ?? [];
    const before = keptIslands.get(name);
    const origin = before?.origin ?? bestOrigin(ids.length);
    let highest = -1;
    for (const id of ids) {
      const node = keptNodes.get(id);
      if (node?.group === name) highest = Math.max(highest, node.slot);
    }
    const slots = islandSlots(Math.max(ids.length, highest + 1), origin);
    return { name, ids, origin, before, slots, radius: Math.max(islandRadius(slots), before?.radius ?? 0) };
  });
  const discs = shapes.map(
    ({ radius, before }): Disc =>
      before === undefined ? { radius } : { radius, fixed: { x: before.x, y: (before.y * 4) / 3 } },
  );
  const sorted = [...input.links].sort((a, b) =>
    a.client !== b.client
      ? a.client < b.client
        ? -1
        : 1
      : a.server !== b.server
        ? a.server < b.server
          ? -1
          : 1
        : a.weight - b.weight,
  );
  const placed = placeIslands(discs, islandPulls(members, sorted));
  const centres = shapes.map(
    ({ before }, i): Vector =>
      before ?? { x: placed[2 * i] as number, y: Math.round((placed[2 * i + 1] as number) * 6) / 8 },
  );

  const ties = shapes.map(({ ids }) => ids.map((): Tie[] => []));
  for (const link of sorted) {
    const client = members.get(link.client);
    const server = members.get(link.server);
    if (client === undefined || server === undefined || client === server) continue;
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      const list = ties[from.island]?.[from.index];
      if (from.island === to.island) {
        list?.push({ other: to.index, place: { x: 0, y: 0 }, weight: link.weight });
      } else {
        const here = centres[from.island] as Vector;
        const there = centres[to.island] as Vector;
        list?.push({ other: -1, place: { x: there.x - here.x, y: there.y - here.y }, weight: link.weight * 0.3 });
      }
    }
  }

  const nodes: PlacedNode[] = [];
  shapes.forEach(({ name, ids, slots }, island) => {
    const seats = new Int32Array(ids.length).fill(-1);
    ids.forEach((id, i) => {
      const node = keptNodes.get(id);
      if (node?.group === name) seats[i] = node.slot;
    });
    seatMembers(seats, ties[island] ?? [], slots, slots.length);
    const centre = centres[island] as Vector;
    ids.forEach((id, i) => {
      const slot = seats[i] as number;
      const at = slots[slot] as Vector;
      nodes.push({ id, group: name, slot, x: centre.x + at.x, y: centre.y + at.y });
    });
  });
  nodes.sort(byId);
  const islands = shapes.map(({ name, origin, radius }, i) => {
    const centre = centres[i] as Vector;
    return { id: name, x: centre.x, y: centre.y, radius: Math.round(radius), origin };
  });
  return { version: LAYOUT_VERSION, islands, nodes, hash: hashOf(islands, nodes) };
}
