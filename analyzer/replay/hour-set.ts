/** How many hours a mask of 32 holds. */
export function hoursIn(mask: number): number {
  let hours = 0;
  for (let left = mask; left !== 0; left &= left - 1) hours++;
  return hours;
}

/** A set of hours, counted from the epoch, 32 to a number. */
export class HourSet {
  readonly #masks = new Map<number, number>();

  /** Adds hour `block * 32 + b` for every bit b of `mask`. */
  add(block: number, mask: number): void {
    this.#masks.set(block, (this.#masks.get(block) ?? 0) | mask);
  }

  addAll(other: HourSet): void {
    for (const [block, mask] of other.#masks) this.add(block, mask);
  }

  get size(): number {
    let size = 0;
    for (const mask of this.#masks.values()) size += hoursIn(mask);
    return size;
  }
}
