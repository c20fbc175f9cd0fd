/** Metrics of one name. The names, kinds and labels are a contract: docs/metrics.md changes in the same commit. */
export interface Family {
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is not known has no sample: an absent figure is told apart from a zero. */
export type Reading = number | "unknown" | undefined | readonly Sample[];

/** A family with the way to its present figures. */
export interface Measured {
  readonly family: Family;
  readonly read: () => Reading;
}

export const counter = (name: string, help: string, labels: readonly string[] = []): Family => ({
  name,
  kind: "counter",
  help,
  labels,
});

export const gauge = (name: string, help: string, labels: readonly string[] = []): Family => ({
  name,
  kind: "gauge",
  help,
  labels,
});

export const measured = (family: Family, read: () => Reading): Measured => ({ family, read });

export function samplesOf(reading: Reading): readonly Sample[] {
  if (typeof reading === "number") return [{ labels: {}, value: reading }];
  return reading === undefined || reading === "unknown" ? [] : reading;
}
