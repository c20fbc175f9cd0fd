import { median } from "./measure.js";

export interface MedianInterval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** The chance of at most `k` heads in `n` throws of a fair coin. */
function coin(n: number, k: number): number {
  let term = 0.5 ** n;
  let sum = term;
  for (let i = 1; i <= k; i++) {
    term *= (n - i + 1) / i;
    sum += term;
  }
  return sum;
}

/**
 * The median with the two values between which the true one lies in at least 95 of 100 cases, whatever the noise looks like:
 * each value is above it as a coin falls. With fewer than six values they are the smallest and the largest, and prove less.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = [...values].sort((a, b) => a - b);
  let out = 0; // values left out at each end
  while (2 * (out + 1) < sorted.length && coin(sorted.length, out) <= 0.025) out++;
  const skipped = Math.max(0, out - 1);
  return {
    low: sorted[skipped] as number,
    median: median(sorted),
    high: sorted[sorted.length - 1 - skipped] as number,
  };
}
