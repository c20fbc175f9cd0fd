/** How often each kind was met: `counts[k]` kinds in exactly k of `samples` sampling units. */
export interface IncidenceCounts {
  readonly samples: number; // T
  readonly once: number; // Q1
  readonly twice: number; // Q2
  readonly incidences: number; // U, the sum over kinds of the units they were met in
  readonly kinds: number; // S
}

/** @param incidence for each kind, the distinct units in which it was met */
export function countIncidences(incidence: Iterable<readonly number[]>, samples: number): IncidenceCounts {
  let once = 0;
  let twice = 0;
  let incidences = 0;
  let kinds = 0;
  for (const units of incidence) {
    if (units.length === 0) continue;
    kinds++;
    incidences += units.length;
    if (units.length === 1) once++;
    else if (units.length === 2) twice++;
  }
  return { samples, once, twice, incidences, kinds };
}

/**
 * Chao2: a lower bound on the kinds not met yet, `(T-1)/T * Q1^2 / (2 Q2)`, or `(T-1)/T * Q1 (Q1-1) / 2` when no kind was
 * met twice (Chao 1987; Chao and Jost, Ecology 2012).
 */
export function unseenKinds({ samples, once, twice }: IncidenceCounts): number {
  if (samples === 0) return 0;
  const factor = (samples - 1) / samples;
  return twice > 0 ? (factor * once ** 2) / (2 * twice) : (factor * once * (once - 1)) / 2;
}

/**
 * Sample coverage: the share of future incidences that falls on kinds already met, `1 - Q1/U * A` with
 * `A = (T-1) Q1 / ((T-1) Q1 + 2 Q2)` (Chao and Jost, Ecology 2012); 0 when nothing was met.
 */
export function sampleCoverage({ samples, once, twice, incidences }: IncidenceCounts): number {
  if (incidences === 0) return 0;
  if (once === 0) return 1;
  const weight = (samples - 1) * once;
  const a = weight + 2 * twice === 0 ? 1 : weight / (weight + 2 * twice);
  return 1 - (once / incidences) * a;
}

/** The same incidences counted in blocks of `width` units, which are less alike than their units. */
export function blockUnits(units: readonly number[], width: number): number[] {
  return [...new Set(units.map((unit) => Math.floor(unit / width)))];
}
