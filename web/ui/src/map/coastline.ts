import type { MapAnswer, Mark } from "../../../api/contract.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

const RAYS = 64;
const SHORE = 58; // from a node to the water, in world units along x
const SQUASH = 4 / 3; // islands are wider than tall, as their slots are

/** A number in [0, 1) that depends on the text alone: every island keeps its shape. */
function chance(text: string, salt: number): number {
  let hash = 2166136261 ^ salt;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return ((hash >>> 0) % 9973) / 9973;
}

function reachOf(members: readonly Point[], angle: number): number {
  const ux = Math.cos(angle);
  const uy = Math.sin(angle);
  let reach = 34;
  for (const { x, y } of members) {
    const along = x * ux + y * uy;
    const aside = x * uy - y * ux;
    if (aside > -SHORE && aside < SHORE) reach = Math.max(reach, along + Math.sqrt(SHORE * SHORE - aside * aside));
  }
  return reach;
}

/**
 * The shore of an island around its marks, in world units: the outline of discs around them, worn smooth and roughened
 * the way a chart-maker draws one.
 */
export function coastline(island: MapAnswer["islands"][number], marks: readonly Mark[]): Point[] {
  const members = island.isOpen ? marks.map((mark) => ({ x: mark.x - island.x, y: (mark.y - island.y) * SQUASH })) : [];
  const closedReach = Math.max(46, island.radius - 42);
  let reaches = Array.from({ length: RAYS }, (_, i) =>
    members.length === 0 ? closedReach : reachOf(members, (i / RAYS) * 2 * Math.PI),
  );
  for (let pass = 0; pass < 6; pass++) {
    const worn = reaches;
    reaches = worn.map((reach, i) => {
      const left = worn[(i + RAYS - 1) % RAYS] as number;
      const right = worn[(i + 1) % RAYS] as number;
      return Math.max(reach * 0.97, (left + 2 * reach + right) / 4);
    });
  }
  const phases = [1, 2, 3, 4].map((salt) => chance(island.id, salt) * 2 * Math.PI);
  return reaches.map((reach, i) => {
    const angle = (i / RAYS) * 2 * Math.PI;
    const wave = (times: number, phase: number) => Math.sin(angle * times + (phases[phase] as number));
    const rough = 1 + 0.022 * wave(3, 0) + 0.018 * wave(5, 1) + 0.012 * wave(9, 2) + 0.008 * wave(17, 3);
    const far = reach * rough + 4;
    return { x: island.x + far * Math.cos(angle), y: island.y + (far * Math.sin(angle)) / SQUASH };
  });
}

/** The shore moved outward by `by`, for the lines that charts draw in shallow water. */
export function offshore(coast: readonly Point[], centre: Point, by: number): Point[] {
  return coast.map(({ x, y }) => {
    const dx = x - centre.x;
    const dy = y - centre.y;
    const far = Math.sqrt(dx * dx + dy * dy) || 1;
    return { x: x + (dx / far) * by, y: y + (dy / far) * by };
  });
}
