import type { ChartLayout } from "./chart-layout.js";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** The parts of a map that a layout fills in. */
export interface Placeable {
  readonly layoutVersion: number;
  readonly layoutHash: string;
  readonly bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly islands: readonly (Place & { readonly id: string })[];
  readonly marks: readonly (Place & { readonly id: string; readonly kind: string; readonly island: string })[];
}

export function boundsOf(layout: ChartLayout): Placeable["bounds"] {
  const first = layout.islands[0];
  if (first === undefined) return { x: 0, y: 0, width: 0, height: 0 };
  let [left, top, right, bottom] = [first.x, first.y, first.x, first.y];
  for (const { x, y, radius } of layout.islands) {
    const height = radius * 0.75;
    left = Math.min(left, x - radius);
    right = Math.max(right, x + radius);
    top = Math.min(top, y - height);
    bottom = Math.max(bottom, y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The same map with the positions of a layout of its whole graph, as the server and the page both do it. */
export function placeMap<T extends Placeable>(map: T, layout: ChartLayout): T {
  const bounds = boundsOf(layout);
  const nodeAt = new Map(layout.nodes.map((node) => [node.id, node]));
  const islandAt = new Map(layout.islands.map((island) => [island.id, island]));
  const placeOf = (mark: Placeable["marks"][number]): Place => {
    const island = islandAt.get(mark.island);
    if (mark.kind === "island" && island !== undefined) return island;
    if (mark.kind === "rest") {
      // Below the middle of its island; what is left of many islands stands under the whole chart.
      return island === undefined
        ? { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height + 40, radius: 0 }
        : { x: island.x, y: island.y + island.radius * 0.6, radius: 0 };
    }
    const node = nodeAt.get(mark.id);
    return { x: node?.x ?? island?.x ?? 0, y: node?.y ?? island?.y ?? 0, radius: 0 };
  };
  const placed = <P extends Place>(thing: P, { x, y, radius }: Place): P => ({ ...thing, x, y, radius });
  return {
    ...map,
    layoutVersion: layout.version,
    layoutHash: layout.hash,
    bounds,
    islands: map.islands.map((island) => placed(island, islandAt.get(island.id) ?? island)),
    marks: map.marks.map((mark) => placed(mark, placeOf(mark))),
  };
}
