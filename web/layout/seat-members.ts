import type { Vector } from "./unit-vectors.js";

/** What draws a member towards a point: another member of the island by index, or a fixed place outside. */
export interface Tie {
  readonly other: number; // index of a member, or -1
  readonly place: Vector; // used when `other` is -1, relative to the island's centre
  readonly weight: number;
}

const SWAP_LIMIT = 90; // members up to which every pair is tried; beyond it n squared costs more than it shows
const PASSES = 8;

/**
 * Gives each member without a seat one of `slots` so that ties are short. `seats[i]` is a slot index or -1 and is
 * filled in place; members that have a seat keep it. `mayUse` is how many of the first slots newcomers may take.
 */
export function seatMembers(
  seats: Int32Array,
  ties: readonly (readonly Tie[])[],
  slots: readonly Vector[],
  mayUse: number,
): void {
  const count = seats.length;
  const isTaken = new Uint8Array(slots.length);
  const newcomers: number[] = [];
  for (let i = 0; i < count; i++) {
    if ((seats[i] as number) >= 0) isTaken[seats[i] as number] = 1;
    else newcomers.push(i);
  }
  const weightOf = (i: number) => (ties[i] ?? []).reduce((sum, tie) => sum + tie.weight, 0);
  const weights = ties.map((_, i) => weightOf(i));
  newcomers.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);

  const cost = (member: number, slot: number): number => {
    const at = slots[slot] as Vector;
    let sum = 0;
    for (const tie of ties[member] ?? []) {
      const seat = tie.other < 0 ? -1 : (seats[tie.other] as number);
      if (tie.other >= 0 && seat < 0) continue; // not seated yet
      const to = tie.other < 0 ? tie.place : (slots[seat] as Vector);
      const dx = at.x - to.x;
      const dy = at.y - to.y;
      sum += Math.sqrt(dx * dx + dy * dy) * tie.weight;
    }
    // A faint wish for the middle decides between equals.
    return sum + Math.sqrt(at.x * at.x + at.y * at.y) * 0.01;
  };

  let firstFree = 0;
  for (const member of newcomers) {
    while (firstFree < slots.length && isTaken[firstFree] === 1) firstFree++;
    let best = firstFree;
    let bestCost = cost(member, firstFree);
    // Looking at every slot for every member of a huge island is quadratic, so only the next ones are tried.
    let looked = 0;
    for (let slot = firstFree + 1; slot < mayUse && looked < 64; slot++) {
      if (isTaken[slot] === 1) continue;
      looked++;
      const candidate = cost(member, slot);
      if (candidate < bestCost - 1e-9) {
        best = slot;
        bestCost = candidate;
      }
    }
    seats[member] = best;
    isTaken[best] = 1;
  }

  if (newcomers.length > SWAP_LIMIT) return;
  newcomers.sort((a, b) => a - b);
  for (let pass = 0; pass < PASSES; pass++) {
    let hasImproved = false;
    for (let i = 0; i < newcomers.length; i++) {
      for (let j = i + 1; j < newcomers.length; j++) {
        const a = newcomers[i] as number;
        const b = newcomers[j] as number;
        const seatA = seats[a] as number;
        const seatB = seats[b] as number;
        const before = cost(a, seatA) + cost(b, seatB);
        seats[a] = seatB;
        seats[b] = seatA;
        if (cost(a, seatB) + cost(b, seatA) < before - 1e-6) {
          hasImproved = true;
        } else {
          seats[a] = seatA;
          seats[b] = seatB;
        }
      }
    }
    if (!hasImproved) return;
  }
}
