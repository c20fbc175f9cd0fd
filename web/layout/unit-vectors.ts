/**
 * Exact arithmetic only: cos, sin, pow and hypot may differ in their last bit between engines, and an iterated
 * layout amplifies that bit. `+ - * / Math.sqrt` and rounding are exact in IEEE 754 everywhere, so the browser and the
 * server draw the same chart. Directions come from turning a vector by the golden angle, as complex multiplication.
 */
const GOLDEN_COS = -0.7373688780783197;
const GOLDEN_SIN = 0.6754902942615238;

export interface Vector {
  readonly x: number;
  readonly y: number;
}

/** `count` directions, each turned by the golden angle against the one before, so that any prefix spreads evenly. */
export function goldenDirections(count: number): Vector[] {
  const directions: Vector[] = [];
  let x = 1;
  let y = 0;
  for (let i = 0; i < count; i++) {
    directions.push({ x, y });
    const turnedX = x * GOLDEN_COS - y * GOLDEN_SIN;
    y = x * GOLDEN_SIN + y * GOLDEN_COS;
    x = turnedX;
    // The product's length drifts by rounding; put it back on the unit circle.
    const length = Math.sqrt(x * x + y * y);
    x /= length;
    y /= length;
  }
  return directions;
}

/** The nearest multiple of 1/8, so that stored and sent positions are short and compare equal. */
export function snap(value: number): number {
  return Math.round(value * 8) / 8;
}
