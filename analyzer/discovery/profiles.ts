/** A sparse vector with unit length: feature index to weight, indices ascending. */
export interface Profile {
  readonly features: readonly number[];
  readonly weights: readonly number[];
}

const PROVIDES_WEIGHT = 2; // what a host offers says more about it than what it uses
const CONSUMES_WEIGHT = 1;

/**
 * Service profiles: what each host offers and uses, weighted by how telling it is, `w * ln(1 + N / df)`. A feature that
 * only one host has says nothing about who is alike, so it is left out; a host without any feature has an empty profile.
 * @param hosts features per host, each "provides <service>" or "consumes <service>"
 */
export function serviceProfiles(hosts: readonly ReadonlySet<string>[]): Profile[] {
  const frequency = new Map<string, number>();
  for (const features of hosts) {
    for (const feature of features) frequency.set(feature, (frequency.get(feature) ?? 0) + 1);
  }
  const shared = [...frequency.keys()].filter((feature) => (frequency.get(feature) as number) >= 2).sort();
  const index = new Map(shared.map((feature, i) => [feature, i]));
  const weight = shared.map((feature) => {
    const direction = feature.startsWith("provides ") ? PROVIDES_WEIGHT : CONSUMES_WEIGHT;
    return direction * Math.log(1 + hosts.length / (frequency.get(feature) as number));
  });
  return hosts.map((features) => {
    const indices = [...features].flatMap((feature) => index.get(feature) ?? []).sort((a, b) => a - b);
    const norm = Math.sqrt(indices.reduce((sum, i) => sum + (weight[i] as number) ** 2, 0));
    return { features: indices, weights: indices.map((i) => (weight[i] as number) / norm) };
  });
}

/** Cosine distance of two profiles, 0..1; an empty profile is at distance 1 from everything. */
export function profileDistance(a: Profile, b: Profile): number {
  let dot = 0;
  for (let i = 0, j = 0; i < a.features.length && j < b.features.length; ) {
    const left = a.features[i] as number;
    const right = b.features[j] as number;
    if (left === right) dot += (a.weights[i++] as number) * (b.weights[j++] as number);
    else if (left < right) i++;
    else j++;
  }
  return Math.max(0, 1 - dot);
}
