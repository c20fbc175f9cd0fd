/** What a bench may know about how it is run. */
export interface BenchSetting {
  readonly isQuick: boolean; // small sizes and few runs: shows that it works, not how fast
  readonly folder: string; // temporary, removed afterwards
  /** Tells the user what goes on. */
  readonly say: (what: string) => void;
}

export interface BenchTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** One measurement with the peer or the stated limit beside our figure. */
export interface Bench {
  readonly name: string; // as given on the command line
  readonly about: string;
  run(setting: BenchSetting): Promise<readonly BenchTable[]>;
}

/** A table as text: the first column to the left, figures to the right. */
export function renderTable(table: BenchTable): string {
  const all = [table.columns, ...table.rows];
  const widths = table.columns.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, i) => (i === 0 ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [table.title, "", line(table.columns), rule, ...table.rows.map(line), "", ...table.notes, ""].join("\n");
}

export function figure(value: number, digits = 2): string {
  return value.toFixed(digits);
}
