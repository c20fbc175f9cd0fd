import type { Admitted } from "./admission.js";
import { acceptedFlows, activeUnits, type EvidenceContext } from "./evidence.js";

/**
 * How sure we are that the rule describes a habit and not an accident, 0..1, two decimals: the product of
 *
 *     returning  1 - (Q1 + 1) / (U + 2)   chance that its next use is one we have seen (Good-Turing, with one pseudo-count:
 *                                         Q1 = its conversations seen in one window only, U = all its sightings)
 *     flows      1 - 2^-n                 n accepted flows
 *     direction  least probability that client and server are not swapped
 *     observers  1 with two collectors or more, 0.95 with one
 *
 * One sighting gives 0.16, ten windows of one conversation 0.87. It says nothing about whether the rule is wanted.
 */
export function confidenceOf(admitted: readonly Admitted[], { units }: EvidenceContext): number {
  let once = 0;
  let sightings = 0;
  let flows = 0;
  let direction = 1;
  const observers = new Set<string>();
  for (const { history, direction: probability } of admitted) {
    const windows = activeUnits(history).length;
    once += windows === 1 ? 1 : 0;
    sightings += windows;
    flows += acceptedFlows(history);
    direction = Math.min(direction, probability);
    for (const observer of history.observers) observers.add(observer);
  }
  if (units.count === 0) return 0;
  const returning = 1 - (once + 1) / (sightings + 2);
  const seen = 1 - 2 ** -flows;
  const product = returning * seen * direction * (observers.size >= 2 ? 1 : 0.95);
  return Math.round(product * 100) / 100;
}
