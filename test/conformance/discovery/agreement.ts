/** How well clusters agree with true groups, over the items that both have. */
export interface Agreement {
  readonly items: number;
  readonly adjustedRand: number; // Hubert and Arabie 1985: 0 by chance, 1 equal
  readonly homogeneity: number; // Rosenberg and Hirschberg 2007: 1 if no cluster mixes groups
}

const pairs = (n: number) => (n * (n - 1)) / 2;
const entropy = (counts: readonly number[], total: number) =>
  -counts.reduce((sum, count) => (count === 0 ? sum : sum + (count / total) * Math.log(count / total)), 0);

export function agreementOf(
  clusters: readonly (readonly string[])[],
  groups: readonly (readonly string[])[],
): Agreement {
  const groupOf = new Map(groups.flatMap((members, i) => members.map((member) => [member, i] as const)));
  const table = clusters
    .map((members) => {
      const row = new Array<number>(groups.length).fill(0);
      for (const member of members) {
        const group = groupOf.get(member);
        if (group !== undefined) row[group] = (row[group] as number) + 1;
      }
      return row;
    })
    .filter((row) => row.some((count) => count > 0));
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0));
  const columns = groups.map((_, i) => table.reduce((sum, row) => sum + (row[i] as number), 0));
  const items = rows.reduce((a, b) => a + b, 0);
  const cells = table.flat();
  const together = cells.reduce((sum, count) => sum + pairs(count), 0);
  const inRows = rows.reduce((sum, count) => sum + pairs(count), 0);
  const inColumns = columns.reduce((sum, count) => sum + pairs(count), 0);
  const expected = items < 2 ? 0 : (inRows * inColumns) / pairs(items);
  const most = (inRows + inColumns) / 2;
  const ofGroups = entropy(columns, items);
  const given = -table.reduce(
    (sum, row, i) =>
      sum +
      row.reduce(
        (part, count) => (count === 0 ? part : part + (count / items) * Math.log(count / (rows[i] as number))),
        0,
      ),
    0,
  );
  return {
    items,
    adjustedRand: most === expected ? 1 : (together - expected) / (most - expected),
    homogeneity: ofGroups === 0 ? 1 : 1 - given / ofGroups,
  };
}
