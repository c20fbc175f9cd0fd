import { useEffect } from "preact/hooks";
import type { GraphLevel } from "../../../model/graph.js";
import type { MapAnswer, MatrixAnswer } from "../../api/contract.js";
import { DetailPanel } from "./detail/detail-panel.js";
import { shown } from "./format.js";
import { MapView } from "./map/map-view.js";
import { usePlacedMap } from "./map/placed-map.js";
import { MatrixView } from "./matrix/matrix-view.js";
import { QueryBar } from "./query/query-bar.js";
import { IslandIndex } from "./shell/island-index.js";
import { Notice, ProblemNotice } from "./shell/notice.js";
import { go, place } from "./state/location.js";
import { refresh, useResource } from "./state/resource.js";
import { mapUrl, matrixUrl, overview, shownMap } from "./state/views.js";
import { FilterHidesAll, NothingYet } from "./table/empty.js";
import { TableView } from "./table/table-view.js";
import { Timeline } from "./timeline/timeline.js";

const VIEWS = [
  ["map", "Map", "g m"],
  ["table", "Table", "g t"],
  ["matrix", "Matrix", "g x"],
] as const;

const LEVELS: readonly (readonly [GraphLevel, string])[] = [
  ["workload", "Workloads"],
  ["app", "Apps"],
  ["namespace", "Namespaces"],
];

function ViewBar() {
  const { view, level, group } = place.value;
  const keys = overview.value?.labelKeys ?? [];
  const groupings = [
    ["namespace", "namespace"],
    ["kind", "kind"],
    ["none", "nothing"],
    ...keys.map((key) => [`label:${key}`, `label ${shown(key, 40)}`] as const),
  ] as const;
  const isListed = groupings.some(([value]) => value === group);
  return (
    <div class="viewbar">
      <div class="segments" role="group" aria-label="View">
        {VIEWS.map(([value, title, hint]) => (
          <button
            key={value}
            type="button"
            aria-pressed={view === value}
            title={`${title} (${hint})`}
            onClick={() => go({ view: value })}
          >
            {title}
          </button>
        ))}
      </div>
      <label>
        <span>Show</span>
        <select
          value={level}
          onChange={(event) =>
            go({ level: event.currentTarget.value as GraphLevel, sel: "", open: [], closed: [], at: undefined })
          }
        >
          {LEVELS.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Islands by</span>
        <select
          value={group}
          onChange={(event) => go({ group: event.currentTarget.value, open: [], closed: [], at: undefined })}
        >
          {groupings.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
          {!isListed && <option value={group}>{shown(group, 40)}</option>}
        </select>
      </label>
    </div>
  );
}

function Stage() {
  const { view } = place.value;
  const map = usePlacedMap(useResource<MapAnswer>(mapUrl.value));
  const matrix = useResource<MatrixAnswer>(view === "matrix" ? matrixUrl.value : undefined);
  useEffect(() => {
    if (map.data !== undefined) shownMap.value = map.data;
  }, [map.data]);
  if (view === "table") return <TableView />;
  const resource = view === "map" ? map : matrix;
  const retry = () => refresh.value++;
  if (resource.kind === "failed" && resource.data === undefined)
    return <ProblemNotice problem={resource.problem} onRetry={retry} />;
  if (resource.kind === "failed") {
    return (
      <div class="stage-failed">
        <ProblemNotice problem={resource.problem} onRetry={retry} />
      </div>
    );
  }
  if (view === "matrix") {
    if (matrix.data === undefined) return <Notice title="Counting who talks to whom…" />;
    if (matrix.data.cells.length === 0) return overview.value?.edges === 0 ? <NothingYet /> : <FilterHidesAll />;
    return <MatrixView matrix={matrix.data} />;
  }
  if (map.data === undefined) return <Notice title="Drawing the chart…" />;
  if (map.data.total.nodes === 0) return <NothingYet />;
  return (
    <>
      <MapView map={map.data} />
      {map.data.total.edges === 0 && map.kind === "ready" && (
        <div class="stage-note">
          <FilterHidesAll />
        </div>
      )}
    </>
  );
}

/** Map, table and matrix of one query, the index beside them, the evidence on the right, time beneath. */
export function ExplorePage() {
  return (
    <main class="explore" id="main" tabIndex={-1}>
      <h1 class="visually-hidden">Explore: who talks to whom</h1>
      <div class="bar">
        <QueryBar />
        <ViewBar />
      </div>
      <IslandIndex />
      <section class="stage" aria-label="View">
        <Stage />
      </section>
      <aside class="panel" aria-label="Details">
        <DetailPanel />
      </aside>
      <Timeline />
    </main>
  );
}
