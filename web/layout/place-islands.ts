import { goldenDirections, snap } from "./unit-vectors.js";

/** A group to be placed as a disc; islands are 4 : 3 ellipses, so heights are scaled before and after. */
export interface Disc {
  readonly radius: number;
  readonly fixed?: { readonly x: number; readonly y: number }; // where it was before, never moved
}

/** How strongly two discs, by their index, are drawn together. */
export interface Pull {
  readonly a: number;
  readonly b: number;
  readonly weight: number; // > 0
}

const STEPS = 320;
const COOLING = 0.982;
const SETTLING_STEPS = 120;
const PAIR_BUDGET = 40_000_000; // pair comparisons over all steps: keeps 2,000 groups within about a second

function separate(xs: Float64Array, ys: Float64Array, discs: readonly Disc[], share: number): boolean {
  let hasMoved = false;
  const count = discs.length;
  for (let i = 0; i < count; i++) {
    const a = discs[i] as Disc;
    for (let j = i + 1; j < count; j++) {
      const b = discs[j] as Disc;
      const reach = a.radius + b.radius;
      let dx = (xs[j] as number) - (xs[i] as number);
      if (dx >= reach || dx <= -reach) continue;
      let dy = (ys[j] as number) - (ys[i] as number);
      if (dy >= reach || dy <= -reach) continue;
      let squared = dx * dx + dy * dy;
      if (squared >= reach * reach) continue;
      if (squared < 1e-6) {
        dx = 1;
        dy = (i - j) * 0.5;
        squared = dx * dx + dy * dy;
      }
      const distance = Math.sqrt(squared);
      const overlap = ((reach - distance) / distance) * share;
      // The smaller disc gives way; a fixed one never does.
      const areaA = a.radius * a.radius;
      const areaB = b.radius * b.radius;
      const yieldA = a.fixed ? 0 : b.fixed ? 1 : areaB / (areaA + areaB);
      const yieldB = b.fixed ? 0 : a.fixed ? 1 : areaA / (areaA + areaB);
      xs[i] = (xs[i] as number) - dx * overlap * yieldA;
      ys[i] = (ys[i] as number) - dy * overlap * yieldA;
      xs[j] = (xs[j] as number) + dx * overlap * yieldB;
      ys[j] = (ys[j] as number) + dy * overlap * yieldB;
      if (yieldA + yieldB > 0 && overlap > 1e-4) hasMoved = true;
    }
  }
  return hasMoved;
}

/**
 * Places discs so that those that talk lie near one another and none overlap, however they are linked.
 * Exact arithmetic, so the same input gives the same bytes on every machine. Answers flat [x0, y0, x1, y1, ...].
 */
export function placeIslands(discs: readonly Disc[], pulls: readonly Pull[]): Float64Array {
  const count = discs.length;
  const xs = new Float64Array(count);
  const ys = new Float64Array(count);
  const strength = new Float64Array(count);
  for (const pull of pulls) {
    strength[pull.a] = (strength[pull.a] as number) + pull.weight;
    strength[pull.b] = (strength[pull.b] as number) + pull.weight;
  }
  // Start as a sunflower head with the busiest discs at its heart.
  const order = discs.map((_, i) => i).sort((a, b) => (strength[b] as number) - (strength[a] as number) || a - b);
  const directions = goldenDirections(count);
  let area = 0;
  order.forEach((index, rank) => {
    const disc = discs[index] as Disc;
    const far = Math.sqrt(area) * 1.1;
    area += disc.radius * disc.radius;
    xs[index] = disc.fixed?.x ?? (directions[rank]?.x ?? 1) * far;
    ys[index] = disc.fixed?.y ?? (directions[rank]?.y ?? 0) * far;
  });
  const pairs = Math.max(1, (count * (count - 1)) / 2);
  const steps = Math.max(8, Math.min(STEPS, Math.floor(PAIR_BUDGET / pairs)));
  let heat = 1;
  for (let step = 0; step < steps; step++) {
    for (const { a, b, weight } of pulls) {
      const dx = (xs[b] as number) - (xs[a] as number);
      const dy = (ys[b] as number) - (ys[a] as number);
      const distance = Math.sqrt(dx * dx + dy * dy) + 1e-9;
      const wanted = (discs[a] as Disc).radius + (discs[b] as Disc).radius;
      if (distance <= wanted) continue;
      // A disc with many links follows none of them far, or hubs would swallow their neighbours.
      const least = Math.min(strength[a] as number, strength[b] as number);
      const step = ((distance - wanted) / distance) * heat * 0.35 * (weight / least);
      const massA = (discs[a] as Disc).radius;
      const massB = (discs[b] as Disc).radius;
      const moveA = (discs[a] as Disc).fixed ? 0 : massB / (massA + massB);
      const moveB = (discs[b] as Disc).fixed ? 0 : massA / (massA + massB);
      xs[a] = (xs[a] as number) + dx * step * moveA;
      ys[a] = (ys[a] as number) + dy * step * moveA;
      xs[b] = (xs[b] as number) - dx * step * moveB;
      ys[b] = (ys[b] as number) - dy * step * moveB;
    }
    const gravity = 0.03 * heat;
    for (let i = 0; i < count; i++) {
      if ((discs[i] as Disc).fixed) continue;
      xs[i] = (xs[i] as number) * (1 - gravity);
      ys[i] = (ys[i] as number) * (1 - gravity);
    }
    separate(xs, ys, discs, 0.7);
    heat *= COOLING;
  }
  const settling = Math.max(8, Math.min(SETTLING_STEPS, Math.floor(PAIR_BUDGET / pairs)));
  for (let step = 0; step < settling; step++) if (!separate(xs, ys, discs, 1)) break;
  const placed = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    placed[2 * i] = snap(xs[i] as number);
    placed[2 * i + 1] = snap(ys[i] as number);
  }
  return placed;
}
