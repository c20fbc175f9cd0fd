import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, plural, shown } from "../format.js";
import { setIslandOpen } from "../map/map-view.js";
import { go, place } from "../state/location.js";
import { announce } from "../state/preferences.js";
import { formatMark } from "../state/selection.js";
import { shownMap } from "../state/views.js";

const ROW_PX = 27;
const OVERSCAN = 8;

interface Item {
  readonly key: string;
  readonly level: 1 | 2;
  readonly label: string;
  readonly sel: string;
  readonly island: string;
  readonly nodes: number;
  readonly isOpen: boolean;
  readonly isMatch: boolean;
  readonly kind: string;
  readonly position: number; // among its siblings, from 1
  readonly size: number; // how many siblings there are
}

function itemsOf(map: NonNullable<typeof shownMap.value>): Item[] {
  const byIsland = new Map<string, Item[]>();
  for (const mark of map.marks) {
    if (mark.kind === "island") continue;
    const item: Item = {
      key: mark.id,
      level: 2,
      label: mark.label,
      sel: formatMark(mark),
      island: mark.island,
      nodes: mark.nodes,
      isOpen: false,
      isMatch: mark.isMatch,
      kind: mark.kind,
      position: 0,
      size: 0,
    };
    const list = byIsland.get(mark.island);
    if (list === undefined) byIsland.set(mark.island, [item]);
    else list.push(item);
  }
  return map.islands.flatMap((island, index): Item[] => {
    const members = island.isOpen ? (byIsland.get(island.id) ?? []) : [];
    const isMatch = island.isOpen ? members.some((member) => member.isMatch) : true;
    const head: Item = {
      key: `island:${island.id}`,
      level: 1,
      label: island.label,
      sel: `island:${island.id}`,
      island: island.id,
      nodes: island.nodes,
      isOpen: island.isOpen,
      isMatch,
      kind: "island",
      position: index + 1,
      size: map.islands.length,
    };
    const sorted = members.sort((a, b) => (a.label < b.label ? -1 : 1));
    return [head, ...sorted.map((member, i) => ({ ...member, position: i + 1, size: sorted.length }))];
  });
}

/** The chart as a tree, for the keyboard and for screen readers: everything on the map can be selected here. */
export function IslandIndex() {
  const map = shownMap.value;
  const { sel } = place.value;
  const items = useMemo(() => (map === undefined ? [] : itemsOf(map)), [map]);
  const [active, setActive] = useState(0);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const list = useRef<HTMLDivElement>(null);
  const at = Math.min(active, Math.max(0, items.length - 1));
  const isListed = items.length > 0;

  useEffect(() => {
    const element = list.current;
    if (element === null || !isListed) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [isListed]);

  if (map === undefined) return <div class="index" />;
  const move = (next: number) => {
    const index = Math.max(0, Math.min(items.length - 1, next));
    setActive(index);
    const element = list.current;
    if (element !== null) {
      if (index * ROW_PX < element.scrollTop) element.scrollTop = index * ROW_PX;
      const below = (index + 1) * ROW_PX - element.clientHeight;
      if (below > element.scrollTop) element.scrollTop = below;
    }
    const item = items[index];
    if (item !== undefined) announce(shown(item.label));
  };
  const toggle = (wanted: boolean) => {
    const item = items[at];
    if (item?.level === 1 && item.isOpen !== wanted) setIslandOpen(item.island, wanted);
    else if (item?.level === 2 && !wanted)
      move(items.findIndex((other) => other.level === 1 && other.island === item.island));
  };
  const keys: Record<string, () => void> = {
    j: () => move(at + 1),
    k: () => move(at - 1),
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at - 1),
    Home: () => move(0),
    End: () => move(items.length - 1),
    ArrowRight: () => toggle(true),
    ArrowLeft: () => toggle(false),
    Enter: () => go({ sel: items[at]?.sel ?? "" }),
    " ": () => go({ sel: items[at]?.sel ?? "" }),
  };
  const first = Math.floor(top / ROW_PX) - OVERSCAN;
  const last = Math.ceil((top + height) / ROW_PX) + OVERSCAN;
  const visible = items.map((item, i) => ({ item, i })).filter(({ i }) => (i >= first && i <= last) || i === at);
  const { shown: drawn, hidden, total } = map;
  return (
    <nav class="index" aria-label="Index of the chart">
      <p class="index-count" data-shown={drawn.nodes} data-hidden={hidden.nodes}>
        {hidden.nodes === 0 ? (
          <>
            <b>{count(total.nodes)}</b> {total.nodes === 1 ? "node, shown" : "nodes, all shown"}
          </>
        ) : (
          <>
            <b>{count(drawn.nodes)}</b> of {count(total.nodes)} nodes shown, {count(hidden.nodes)} in islands.{" "}
            <button type="button" class="link" onClick={() => go({ open: "all", closed: [] })}>
              Open all
            </button>
          </>
        )}
      </p>
      {hidden.edges > 0 && (
        <p class="index-count quiet">
          {plural(hidden.edges, "edge")} within islands or beyond the map's bound: the table has all.
        </p>
      )}
      {place.value.open === "all" && (
        <button type="button" class="link" onClick={() => go({ open: [], closed: [] })}>
          Close what does not fit
        </button>
      )}
      <div
        ref={list}
        class="tree"
        role="tree"
        aria-label="Islands and nodes"
        tabIndex={0}
        aria-activedescendant={items.length === 0 ? undefined : `index-${at}`}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => {
          const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
          if (act === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
      >
        <div class="tree-rows" role="presentation" style={{ height: `${items.length * ROW_PX}px` }}>
          {visible.map(({ item, i }) => (
            <div
              key={item.key}
              id={`index-${i}`}
              data-index={i}
              role="treeitem"
              class={`tree-item level-${item.level}`}
              aria-level={item.level}
              aria-expanded={item.level === 1 ? item.isOpen : undefined}
              aria-selected={sel === item.sel}
              data-active={i === at ? "" : undefined}
              data-context={item.isMatch ? undefined : ""}
              aria-setsize={item.size}
              aria-posinset={item.position}
              style={{ transform: `translateY(${i * ROW_PX}px)` }}
              tabIndex={-1}
              onClick={() => {
                setActive(i);
                go({ sel: item.sel });
              }}
            >
              {item.level === 1 && (
                <span
                  class="twist"
                  aria-hidden="true"
                  onClick={(event) => {
                    event.stopPropagation();
                    setIslandOpen(item.island, !item.isOpen);
                  }}
                >
                  {item.isOpen ? "▾" : "▸"}
                </span>
              )}
              <bdi>{shown(item.label, 80)}</bdi>
              {item.level === 1 && <small>{count(item.nodes)}</small>}
              {item.kind === "group" && <small>◆</small>}
            </div>
          ))}
        </div>
      </div>
    </nav>
  );
}
