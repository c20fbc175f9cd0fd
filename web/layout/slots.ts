import type { Vector } from "./unit-vectors.js";

/** Distance between neighbouring slots, wide enough for a name under each node. World units. */
export const SLOT_WIDTH = 104;
export const SLOT_HEIGHT = 72;

// Where the centre of an island may lie in the brick pattern: on a slot, between two, between three.
const ORIGINS: readonly Vector[] = [
  { x: 0, y: 0 },
  { x: SLOT_WIDTH / 2, y: 0 },
  { x: SLOT_WIDTH / 2, y: SLOT_HEIGHT / 3 },
];

/** How far a point lies from an island's centre when the island is as wide as 4 : 3. */
function ellipticDistance(point: Vector): number {
  const y = (point.y * 4) / 3;
  return point.x * point.x + y * y;
}

function brickSlots(count: number, origin: Vector): Vector[] {
  // Enough rings that the `count` nearest slots are surely among them.
  const reach = Math.ceil(Math.sqrt(count)) + 2;
  const slots: Vector[] = [];
  for (let row = -reach; row <= reach; row++) {
    const shift = row % 2 === 0 ? 0 : SLOT_WIDTH / 2;
    for (let column = -reach; column <= reach; column++) {
      slots.push({ x: column * SLOT_WIDTH + shift - origin.x, y: row * SLOT_HEIGHT - origin.y });
    }
  }
  slots.sort((a, b) => ellipticDistance(a) - ellipticDistance(b) || a.y - b.y || a.x - b.x);
  return slots.slice(0, count);
}

/** Which of the possible centres packs `count` slots tightest. It is kept with the island, so that slots never move. */
export function bestOrigin(count: number): number {
  let best = 0;
  let bestReach = Number.POSITIVE_INFINITY;
  ORIGINS.forEach((origin, index) => {
    const reach = ellipticDistance(brickSlots(count, origin)[count - 1] ?? { x: 0, y: 0 });
    if (reach < bestReach - 1e-9) {
      best = index;
      bestReach = reach;
    }
  });
  return best;
}

/** The first `count` slots of an island around (0, 0), nearest first; a longer list starts with the shorter one. */
export function islandSlots(count: number, origin: number): Vector[] {
  return brickSlots(count, ORIGINS[origin] ?? { x: 0, y: 0 });
}

/** Half the width that an island of these slots needs, with the margin for its coast and name; its height is 3/4 of it. */
export function islandRadius(slots: readonly Vector[]): number {
  let furthest = 0;
  for (const slot of slots) furthest = Math.max(furthest, ellipticDistance(slot));
  return Math.sqrt(furthest) + 98;
}
