import type { ComponentChildren } from "preact";

interface Props {
  readonly label: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

/** Columns whose cells are numbers, which stand at the right. */
const NUMBERS = new Set([
  ...["Flows stored", "Attempts", "Generation", "Entry", "Not counted", "Reports missing"],
  ...["Hosts heard", "In deny", "Would be dropped", "Denied", "New edges", "Gates met", "Without policy", "With it"],
]);

/** A table that scrolls by itself where it is too wide, also by keys. */
export function PlainTable({ label, columns, children }: Props) {
  return (
    <div class="plain-table sensors" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" class={NUMBERS.has(column) ? "number" : undefined}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
