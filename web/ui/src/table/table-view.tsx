import { useEffect, useRef, useState } from "preact/hooks";
import type { EdgesAnswer } from "../../../api/contract.js";
import { bytes, count, plural, shortTime, shown, time } from "../format.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { StateWord } from "../shell/state-mark.js";
import { go, place, viewParams } from "../state/location.js";
import { announce } from "../state/preferences.js";
import { askApi, refresh, useResource } from "../state/resource.js";
import { FilterHidesAll, NothingYet } from "./empty.js";

const ROW_PX = 34;
const PAGE_ROWS = 100;
const OVERSCAN = 6;

const COLUMNS: readonly { readonly field: string; readonly title: string; readonly isNumber?: boolean }[] = [
  { field: "state", title: "State" },
  { field: "client", title: "Client" },
  { field: "server", title: "Server" },
  { field: "service", title: "Service" },
  { field: "flows", title: "Flows", isNumber: true },
  { field: "failed", title: "Failed", isNumber: true },
  { field: "bytes", title: "Bytes", isNumber: true },
  { field: "windows", title: "Hours", isNumber: true },
  { field: "last", title: "Last seen" },
];

type Row = EdgesAnswer["edges"][number];

/** Rows of the pages that have been scrolled to; a page is asked for when its first row comes into view. */
function usePages(base: string, first: EdgesAnswer | undefined, from: number, until: number): ReadonlyMap<number, Row> {
  // Rows of another order or of older data are of no use.
  const key = `${base} ${first?.revision ?? 0}`;
  const pages = useRef<{ key: string; rows: Map<number, Row>; asked: Set<number> }>({
    key,
    rows: new Map(),
    asked: new Set(),
  });
  const [, setTurn] = useState(0);
  if (pages.current.key !== key) pages.current = { key, rows: new Map(), asked: new Set() };
  const store = pages.current;
  first?.edges.forEach((row, i) => store.rows.set(i, row));
  store.asked.add(0);
  useEffect(() => {
    if (first === undefined) return;
    const last = Math.min(until, first.total - 1);
    for (let page = Math.floor(from / PAGE_ROWS); page <= Math.floor(last / PAGE_ROWS); page++) {
      if (store.asked.has(page)) continue;
      store.asked.add(page);
      askApi<EdgesAnswer>(`${base}&limit=${PAGE_ROWS}&offset=${page * PAGE_ROWS}`).then(
        (answer) => {
          answer.edges.forEach((row, i) => store.rows.set(answer.offset + i, row));
          setTurn((turn) => turn + 1);
        },
        () => store.asked.delete(page), // asked again when it next comes into view
      );
    }
  }, [base, first, from, until, store]);
  return store.rows;
}

function Cells({ row }: { row: Row }) {
  const flows = row.flows.answered + row.flows.refused + row.flows.unanswered + row.flows.midstream;
  const failed = row.flows.refused + row.flows.unanswered;
  const values = [
    <StateWord key="state" state={row.state} />,
    <bdi key="client" title={shown(row.client)}>
      {shown(row.clientLabel)}
    </bdi>,
    <bdi key="server" title={shown(row.server)}>
      {shown(row.serverLabel)}
    </bdi>,
    <code key="service">{`${shown(row.protocol)}/${row.port}`}</code>,
    count(flows),
    failed === 0 ? (
      <span key="none" class="quiet">
        0
      </span>
    ) : (
      count(failed)
    ),
    bytes(row.clientBytes + row.serverBytes),
    count(row.windows),
    <time key="last" title={`${time(row.lastSeenUs)} UTC`}>
      {shortTime(row.lastSeenUs)}
    </time>,
  ];
  return (
    <>
      {COLUMNS.map(({ field, isNumber }, i) => (
        <div
          key={field}
          role="gridcell"
          class={`cell cell-${field}${isNumber === true ? " number" : ""}`}
          aria-colindex={i + 1}
        >
          {values[i]}
        </div>
      ))}
    </>
  );
}

/** Every edge of the query: sortable, with only the rows in view in the document. */
export function TableView() {
  const { sort, sel, q, from: fromUs, until: untilUs } = place.value;
  const field = sort.replace(/^-/, "");
  const dir = sort.startsWith("-") ? "desc" : "asc";
  const base = `/api/edges?${viewParams.value}&sort=${field}&dir=${dir}`;
  const resource = useResource<EdgesAnswer>(`${base}&limit=${PAGE_ROWS}`);
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState(0);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const answer = resource.data;
  const first = Math.max(0, Math.floor(top / ROW_PX) - OVERSCAN);
  const last = Math.floor((top + height) / ROW_PX) + OVERSCAN;
  const rows = usePages(base, answer, first, last);
  if (resource.kind === "failed" && answer === undefined) {
    return <ProblemNotice problem={resource.problem} onRetry={() => refresh.value++} />;
  }
  if (answer !== undefined && answer.total === 0) {
    return q === "" && fromUs === undefined && untilUs === undefined ? <NothingYet /> : <FilterHidesAll />;
  }
  const total = answer?.total ?? 0;
  const activeRow = Math.min(active, Math.max(0, total - 1));

  const move = (next: number) => {
    const index = Math.max(0, Math.min(total - 1, next));
    setActive(index);
    const element = scroller.current;
    if (element === null) return;
    const head = ROW_PX;
    if (index * ROW_PX < element.scrollTop) element.scrollTop = index * ROW_PX;
    if ((index + 1) * ROW_PX + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = (index + 1) * ROW_PX + head - element.clientHeight;
    }
    const row = rows.get(index);
    if (row !== undefined)
      announce(`${row.state}: ${shown(row.clientLabel)} to ${shown(row.serverLabel)}, ${row.protocol}/${row.port}`);
  };
  const page = Math.max(1, Math.floor(height / ROW_PX) - 2);
  const keys: Record<string, () => void> = {
    j: () => move(activeRow + 1),
    k: () => move(activeRow - 1),
    ArrowDown: () => move(activeRow + 1),
    ArrowUp: () => move(activeRow - 1),
    PageDown: () => move(activeRow + page),
    PageUp: () => move(activeRow - page),
    Home: () => move(0),
    End: () => move(total - 1),
    Enter: () => {
      const row = rows.get(activeRow);
      if (row !== undefined) go({ sel: `edge:${row.id}` });
    },
  };

  const visible: number[] = [];
  for (let i = first; i <= Math.min(last, total - 1); i++) visible.push(i);
  return (
    <div class="table">
      <div
        ref={scroller}
        class="table-scroll"
        role="grid"
        aria-label={`Edges of the query: ${plural(total, "edge")}`}
        aria-rowcount={total + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={total === 0 ? undefined : `row-${activeRow}`}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => {
          const act =
            event.target === event.currentTarget && !event.ctrlKey && !event.metaKey ? keys[event.key] : undefined;
          if (act === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
      >
        <div role="row" class="row row-head" aria-rowindex={1} tabIndex={-1}>
          {COLUMNS.map((column, i) => {
            const isSorted = column.field === field;
            return (
              <div
                key={column.field}
                role="columnheader"
                class={`cell cell-${column.field}${column.isNumber === true ? " number" : ""}`}
                aria-colindex={i + 1}
                aria-sort={isSorted ? (dir === "asc" ? "ascending" : "descending") : "none"}
                tabIndex={-1}
              >
                <button
                  type="button"
                  onClick={() =>
                    go({ sort: isSorted && dir === "desc" ? column.field : `-${column.field}` }, "replace")
                  }
                >
                  {column.title}
                  <span class="sort" aria-hidden="true">
                    {isSorted ? (dir === "asc" ? "↑" : "↓") : ""}
                  </span>
                </button>
              </div>
            );
          })}
        </div>
        <div role="rowgroup" class="rows" style={{ height: `${total * ROW_PX}px` }}>
          {visible.map((i) => {
            const row = rows.get(i);
            return (
              <div
                key={i}
                id={`row-${i}`}
                role="row"
                class="row"
                style={{ transform: `translateY(${i * ROW_PX}px)` }}
                aria-rowindex={i + 2}
                aria-selected={row !== undefined && sel === `edge:${row.id}`}
                data-active={i === activeRow ? "" : undefined}
                tabIndex={-1}
                onClick={() => {
                  setActive(i);
                  if (row !== undefined) go({ sel: `edge:${row.id}` });
                }}
              >
                {row === undefined ? (
                  <div role="gridcell" class="cell quiet" tabIndex={-1}>
                    …
                  </div>
                ) : (
                  <Cells row={row} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {resource.kind === "ready" && (
        <p class="table-foot">
          <span>{plural(total, "edge")}</span>
          <a href={`${base}&format=csv`} download="portolan-edges.csv">
            Download as CSV
          </a>
        </p>
      )}
      {resource.kind === "loading" && answer === undefined && <Notice title="Reading the edges…" />}
    </div>
  );
}
