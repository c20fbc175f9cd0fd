import type { Endpoint } from "./endpoint.js";
import { averageLinkage } from "./linkage.js";
import { type Profile, profileDistance, serviceProfiles } from "./profiles.js";

/** Distinct profiles up to which the distance matrix is kept whole (8 bytes a pair); above, they are clustered in blocks. */
const WHOLE_LIMIT = 3000;

/**
 * Clusters endpoints by service profile. Endpoints with one link (pods of one rollout) count as one host; hosts with one
 * and the same profile are one point with a weight, which changes nothing in average linkage and makes it fast.
 * @returns clusters of endpoints, each sorted by key; endpoints nothing is known of stay alone
 */
export function profileRoles(
  endpoints: readonly Endpoint[],
  features: ReadonlyMap<string, ReadonlySet<string>>,
  linkOf: (endpoint: Endpoint) => string,
  cut: number,
): Endpoint[][] {
  const linked = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const link = linkOf(endpoint);
    linked.set(link, [...(linked.get(link) ?? []), endpoint]);
  }
  const hosts = [...linked.values()];
  const profiles = serviceProfiles(
    hosts.map((members) => new Set(members.flatMap(({ key }) => [...(features.get(key) ?? [])]))),
  );
  const points = new Map<string, { profile: Profile; members: Endpoint[][] }>();
  profiles.forEach((profile, i) => {
    const members = hosts[i] as Endpoint[];
    const key = profile.features.length === 0 ? `alone ${i}` : profile.features.join(",");
    const point = points.get(key);
    if (point === undefined) points.set(key, { profile, members: [members] });
    else point.members.push(members);
  });
  const all = [...points.values()];
  const clusters: Endpoint[][] = [];
  for (const block of blocksOf(all)) {
    const sizes = block.map(({ members }) => members.length);
    const distance = (i: number, j: number) =>
      profileDistance((block[i] as (typeof block)[number]).profile, (block[j] as (typeof block)[number]).profile);
    for (const cluster of averageLinkage(sizes, distance, cut)) {
      clusters.push(cluster.flatMap((i) => (block[i] as (typeof block)[number]).members.flat()));
    }
  }
  for (const cluster of clusters) cluster.sort((a, b) => (a.key < b.key ? -1 : 1));
  return clusters.sort((a, b) => ((a[0] as Endpoint).key < (b[0] as Endpoint).key ? -1 : 1));
}

/** Too many points for one matrix are split by their most telling feature, so that only strangers are parted. */
function blocksOf<T extends { readonly profile: Profile }>(points: readonly T[]): T[][] {
  if (points.length <= WHOLE_LIMIT) return [[...points]];
  const blocks = new Map<number, T[]>();
  for (const point of points) {
    const { features, weights } = point.profile;
    const top = features.length === 0 ? -1 : (features[weights.indexOf(Math.max(...weights))] as number);
    const block = blocks.get(top);
    if (block === undefined) blocks.set(top, [point]);
    else block.push(point);
  }
  const halves: T[][] = [];
  for (const block of blocks.values()) {
    for (let start = 0; start < block.length; start += WHOLE_LIMIT)
      halves.push(block.slice(start, start + WHOLE_LIMIT));
  }
  return halves;
}
