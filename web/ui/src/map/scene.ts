import type { Link, MapAnswer, Mark } from "../../../api/contract.js";
import { coastline, type Point } from "./coastline.js";

/** A link as it is drawn: a bent line from one mark's rim to the other's, bent to the right so that both ways show. */
export interface Course {
  readonly link: Link;
  readonly from: Point;
  readonly bend: Point;
  readonly to: Point;
  readonly middle: Point;
  readonly width: number; // px
}

export interface SceneIsland {
  readonly id: string;
  readonly label: string;
  readonly nodes: number;
  readonly isOpen: boolean;
  readonly centre: Point;
  readonly radius: number;
  readonly top: number; // where its name stands, world y
  readonly coast: readonly Point[];
}

export interface SceneMark extends Mark {
  readonly size: number; // px of a node's glyph
  readonly degree: number;
}

/** Everything that is painted, in world units; a pure function of the API's answer. */
export interface Scene {
  readonly bounds: MapAnswer["bounds"];
  readonly islands: readonly SceneIsland[];
  readonly marks: readonly SceneMark[];
  readonly markById: ReadonlyMap<string, SceneMark>;
  readonly courses: readonly Course[];
  readonly hubs: MapAnswer["hubs"];
}

const RIM = 13; // between a node's middle and the arrow's tip, world units

function rimOf(mark: Mark): number {
  return mark.kind === "island" ? Math.max(40, mark.radius - 38) : RIM;
}

/** The point of `mark`'s rim that faces `towards`; closed islands are 4 : 3 ellipses. */
function rimPoint(mark: Mark, towards: Point): Point {
  const dx = towards.x - mark.x;
  const dy = towards.y - mark.y;
  const squash = mark.kind === "island" ? 4 / 3 : 1;
  const far = Math.sqrt(dx * dx + dy * dy * squash * squash) || 1;
  const rim = rimOf(mark) / far;
  return { x: mark.x + dx * rim, y: mark.y + dy * rim };
}

function courseOf(link: Link, client: Mark, server: Mark, rank: number): Course {
  const width = 0.7 + Math.min(1.9, Math.log10(1 + link.flows) * 0.42);
  if (client === server) {
    const far = 34 + rank * 10;
    const from = { x: client.x - 6, y: client.y - 7 };
    const to = { x: client.x + 6, y: client.y - 7 };
    const bend = { x: client.x, y: client.y - far * 1.6 };
    return { link, from, bend, to, middle: { x: client.x, y: client.y - 3.5 - far * 0.8 }, width };
  }
  const dx = server.x - client.x;
  const dy = server.y - client.y;
  const far = Math.sqrt(dx * dx + dy * dy) || 1;
  const bulge = Math.min(70, 8 + far * 0.11) + rank * 13;
  const bend = {
    x: (client.x + server.x) / 2 - (dy / far) * bulge,
    y: (client.y + server.y) / 2 + (dx / far) * bulge,
  };
  const from = rimPoint(client, bend);
  const to = rimPoint(server, bend);
  const middle = { x: (from.x + 2 * bend.x + to.x) / 4, y: (from.y + 2 * bend.y + to.y) / 4 };
  return { link, from, bend, to, middle, width };
}

/** What the coasts and the names above them take; the layout's own bounds leave room for newcomers too. */
function boundsOf(islands: readonly SceneIsland[], otherwise: MapAnswer["bounds"]): MapAnswer["bounds"] {
  const points = islands.flatMap(({ coast }) => coast);
  if (points.length === 0) return otherwise;
  const left = Math.min(...points.map(({ x }) => x)) - 36;
  const right = Math.max(...points.map(({ x }) => x)) + 36;
  const top = Math.min(...points.map(({ y }) => y)) - 46;
  const bottom = Math.max(...points.map(({ y }) => y)) + 34;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function buildScene(map: MapAnswer): Scene {
  const byId = new Map(map.marks.map((mark) => [mark.id, mark]));
  const degrees = new Map<string, number>();
  const courses: Course[] = [];
  let rank = 0;
  let before: Link | undefined;
  for (const link of map.links) {
    const client = byId.get(link.client);
    const server = byId.get(link.server);
    if (client === undefined || server === undefined) continue;
    degrees.set(link.client, (degrees.get(link.client) ?? 0) + 1);
    if (client !== server) degrees.set(link.server, (degrees.get(link.server) ?? 0) + 1);
    // Links come sorted by their ends, so those of one pair follow one another.
    rank = before?.client === link.client && before.server === link.server ? rank + 1 : 0;
    before = link;
    courses.push(courseOf(link, client, server, rank));
  }
  const marks = map.marks.map((mark): SceneMark => {
    const degree = degrees.get(mark.id) ?? 0;
    return { ...mark, degree, size: 4.5 + Math.min(4, Math.log2(1 + degree) * 0.8) };
  });
  const byIsland = new Map<string, SceneMark[]>();
  for (const mark of marks) {
    if (mark.kind === "island") continue;
    const list = byIsland.get(mark.island);
    if (list === undefined) byIsland.set(mark.island, [mark]);
    else list.push(mark);
  }
  const islands = map.islands.map((island): SceneIsland => {
    const members = byIsland.get(island.id) ?? [];
    const coast = coastline(island, members);
    return {
      id: island.id,
      label: island.label,
      nodes: island.nodes,
      isOpen: island.isOpen,
      centre: { x: island.x, y: island.y },
      radius: island.radius,
      top: Math.min(...coast.map(({ y }) => y)),
      coast,
    };
  });
  return {
    bounds: boundsOf(islands, map.bounds),
    islands,
    marks,
    markById: new Map(marks.map((mark) => [mark.id, mark])),
    courses,
    hubs: map.hubs,
  };
}

function courseDistance(course: Course, x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= 14; i++) {
    const t = i / 14;
    const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
    const dx = a * course.from.x + b * course.bend.x + c * course.to.x - x;
    const dy = a * course.from.y + b * course.bend.y + c * course.to.y - y;
    nearest = Math.min(nearest, dx * dx + dy * dy);
  }
  return Math.sqrt(nearest);
}

/** The course within `reach` world units of a point, the nearest one. */
export function courseAt(courses: readonly Course[], x: number, y: number, reach: number): Course | undefined {
  let best: Course | undefined;
  let bestDistance = reach;
  for (const course of courses) {
    // The bend's box holds the curve, so most are left out cheaply.
    const left = Math.min(course.from.x, course.bend.x, course.to.x) - reach;
    const right = Math.max(course.from.x, course.bend.x, course.to.x) + reach;
    if (x < left || x > right) continue;
    const distance = courseDistance(course, x, y);
    if (distance < bestDistance) {
      best = course;
      bestDistance = distance;
    }
  }
  return best;
}
