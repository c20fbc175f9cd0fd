import { html, type Markup } from "./markup.js";

export interface Column<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => string | number | Markup;
}

/** Rows beyond this make a page that nobody reads; the files beside the report hold them all. */
const ROWS = 500;

/**
 * A table whose first column heads its row, in a frame that scrolls by itself and by keyboard.
 * @param captionClass "heard" for a caption that repeats the heading above it, read out but not shown
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  captionClass: "shown" | "heard" = "shown",
): Markup {
  const cut = rows.length > ROWS ? ` The first ${ROWS} of ${rows.length}; graph.json and policy.json hold all.` : "";
  const align = (column: Column<Row>) => (column.isNumber === true ? html` class="number"` : html``);
  const [first, ...rest] = columns;
  if (first === undefined) throw new RangeError(`Cannot draw table "${caption}": wanted at least one column`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption class="${captionClass}">${caption}${cut}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${align(column)}>${column.title}</th>`)}</tr></thead>
<tbody>
${rows.slice(0, ROWS).map(
  (row) =>
    html`<tr><th scope="row"${align(first)}>${first.cell(row)}</th>${rest.map(
      (column) => html`<td${align(column)}>${column.cell(row)}</td>`,
    )}</tr>
`,
)}</tbody></table></div>`;
}
