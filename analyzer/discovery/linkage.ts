/**
 * Agglomerative clustering with average linkage, cut at a distance: clusters merge while the mean distance between their
 * members is at most `cut`. Found by nearest-neighbour chains, which give the exact dendrogram in O(n^2) because average
 * linkage is reducible. Ties go to the smaller index, so equal input gives equal clusters.
 * @param sizes how many items each point stands for; identical items may be given as one point
 * @returns the clusters as lists of point indices, each ascending, ordered by their first index
 */
export function averageLinkage(
  sizes: readonly number[],
  distance: (i: number, j: number) => number,
  cut: number,
): number[][] {
  const n = sizes.length;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) matrix[i * n + j] = matrix[j * n + i] = distance(i, j);
  }
  const size = Float64Array.from(sizes);
  const isAlive = new Uint8Array(n).fill(1);
  const parent = Array.from({ length: n }, (_, i) => i);
  const chain: number[] = [];
  let next = 0;
  for (;;) {
    if (chain.length === 0) {
      while (next < n && isAlive[next] === 0) next++;
      if (next === n) break;
      chain.push(next);
    }
    const top = chain.at(-1) as number;
    const previous = chain.at(-2) ?? -1;
    let nearest = previous;
    let least = previous < 0 ? Number.POSITIVE_INFINITY : (matrix[top * n + previous] as number);
    for (let j = 0; j < n; j++) {
      if (isAlive[j] === 0 || j === top) continue;
      const d = matrix[top * n + j] as number;
      if (d < least) {
        least = d;
        nearest = j;
      }
    }
    if (nearest === previous && previous >= 0) {
      chain.length -= 2;
      const [into, from] = top < previous ? [top, previous] : [previous, top];
      const a = size[into] as number;
      const b = size[from] as number;
      for (let j = 0; j < n; j++) {
        if (isAlive[j] === 0 || j === into || j === from) continue;
        const merged = (a * (matrix[into * n + j] as number) + b * (matrix[from * n + j] as number)) / (a + b);
        matrix[into * n + j] = matrix[j * n + into] = merged;
      }
      size[into] = a + b;
      isAlive[from] = 0;
      parent[from] = into;
      continue;
    }
    if (nearest < 0 || least > cut) {
      // Alone: merging others never brings them nearer (reducibility), so this cluster is finished.
      chain.pop();
      isAlive[top] = 0;
      continue;
    }
    chain.push(nearest);
  }
  const clusters = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    let root = i;
    while (parent[root] !== root) root = parent[root] as number;
    const cluster = clusters.get(root);
    if (cluster === undefined) clusters.set(root, [i]);
    else cluster.push(i);
  }
  return [...clusters.values()].sort((a, b) => (a[0] as number) - (b[0] as number));
}
