import { type D3ZoomEvent, quadtree, select, type ZoomBehavior, zoom, zoomIdentity } from "d3";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { MapAnswer } from "../../../api/contract.js";
import { plural, shown } from "../format.js";
import { fontTurn } from "../state/fonts.js";
import { type Camera, go, place, roundCamera } from "../state/location.js";
import { paletteTurn } from "../state/preferences.js";
import { edgeEnds, formatLink, formatMark, markOfNode, parseSelected, type Selected } from "../state/selection.js";
import { ChartPainter, type Focus, NO_FOCUS } from "./chart-painter.js";
import { forgetMeasures } from "./paint-marks.js";
import { readPalette } from "./palette.js";
import { buildScene, type Course, courseAt, type Scene, type SceneMark } from "./scene.js";

const NODE_REACH = 16; // px around a node that still mean it
const COURSE_REACH = 7;

function fitCamera(scene: Scene, width: number, height: number): Camera {
  const { bounds } = scene;
  const k = Math.min(1.5, (width - 24) / Math.max(bounds.width, 1), (height - 24) / Math.max(bounds.height, 1));
  return { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2, k: Math.max(k, 0.02) };
}

function focusOf(scene: Scene, map: MapAnswer, selected: Selected): Focus {
  const around = (ids: ReadonlySet<string>, keep: (course: Course) => boolean, ring: string | undefined): Focus => {
    const courses = new Set(scene.courses.filter(keep));
    const marks = new Set(ids);
    for (const { link } of courses) {
      marks.add(link.client);
      marks.add(link.server);
    }
    return { marks, courses, isSelection: true, selected: ring, hovered: undefined };
  };
  const touching = (id: string): Focus =>
    around(new Set([id]), ({ link }) => link.client === id || link.server === id, id);
  switch (selected.kind) {
    case "none":
      return NO_FOCUS;
    case "node": {
      const mark = markOfNode(map, selected.id);
      return mark === undefined ? NO_FOCUS : touching(mark.id);
    }
    case "island": {
      const members = new Set(map.marks.filter((mark) => mark.island === selected.name).map(({ id }) => id));
      return around(members, ({ link }) => members.has(link.client) || members.has(link.server), undefined);
    }
    case "link":
      return around(
        new Set([selected.client, selected.server]),
        ({ link }) => link.client === selected.client && link.server === selected.server,
        undefined,
      );
    case "edge": {
      const own = scene.courses.find((course) => course.link.edge === selected.id);
      if (own !== undefined) return around(new Set(), (course) => course === own, undefined);
      const ends = edgeEnds(selected.id);
      const client = ends && markOfNode(map, ends.client)?.id;
      const server = ends && markOfNode(map, ends.server)?.id;
      if (client === undefined || server === undefined) return NO_FOCUS;
      return around(
        new Set([client, server]),
        ({ link }) => link.client === client && link.server === server,
        undefined,
      );
    }
  }
}

function closeIsland(name: string): void {
  const { open, closed } = place.peek();
  go({
    open: open === "all" ? [] : open.filter((other) => other !== name),
    closed: [...new Set([...closed, name])].sort(),
  });
}

export function setIslandOpen(name: string, isOpen: boolean): void {
  const { open, closed } = place.peek();
  if (!isOpen) closeIsland(name);
  else {
    const opened = open === "all" ? open : [...new Set([...open, name])].sort();
    go({ open: opened, closed: closed.filter((other) => other !== name) });
  }
}

function describe(thing: SceneMark | Course): string {
  if ("link" in thing) {
    const { link } = thing;
    const more =
      link.serviceCount > link.services.length ? ` and ${link.serviceCount - link.services.length} more` : "";
    return `${link.services.join(", ")}${more} · ${plural(link.flows, "flow")} · ${link.state}`;
  }
  return thing.kind === "island" ? `${shown(thing.label)} · ${plural(thing.nodes, "node")}` : shown(thing.label);
}

interface Hover {
  readonly thing: SceneMark | Course;
  readonly x: number;
  readonly y: number;
}

/** The chart itself. What it shows is also in the index beside it, in the table and in the matrix. */
export function MapView({ map }: { map: MapAnswer }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const painter = useRef<ChartPainter | undefined>(undefined);
  const zooming = useRef<ZoomBehavior<HTMLCanvasElement, unknown> | undefined>(undefined);
  const size = useRef({ width: 0, height: 0 });
  const camera = useRef<Camera>({ x: 0, y: 0, k: 1 });
  const isTouched = useRef(place.peek().at !== undefined);
  const [hover, setHover] = useState<Hover | undefined>(undefined);

  const scene = useMemo(() => buildScene(map), [map]);
  const nodes = useMemo(
    () =>
      quadtree<SceneMark>(
        scene.marks.filter((mark) => mark.kind !== "island"),
        (mark) => mark.x,
        (mark) => mark.y,
      ),
    [scene],
  );
  const selectedText = place.value.sel;
  const focus = useMemo(() => focusOf(scene, map, parseSelected(selectedText)), [scene, map, selectedText]);
  const turn = paletteTurn.value;

  const applyCamera = (next: Camera) => {
    const element = canvas.current;
    if (element === null || zooming.current === undefined) return;
    const { width, height } = size.current;
    const transform = zoomIdentity.translate(width / 2 - next.x * next.k, height / 2 - next.y * next.k).scale(next.k);
    select(element).call(zooming.current.transform, transform);
  };
  const saveCamera = () => {
    applyCamera(roundCamera(camera.current));
    go({ at: camera.current }, "replace");
  };
  const current = useRef({ scene, applyCamera, saveCamera });
  current.current = { scene, applyCamera, saveCamera };

  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const box = frame.current as HTMLDivElement;
    const chart = new ChartPainter(element, readPalette());
    painter.current = chart;
    let saving: number | undefined;
    const behaviour = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([0.02, 6])
      .filter((event: MouseEvent) => event.type !== "dblclick" && !event.button)
      .on("zoom", ({ transform, sourceEvent }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        const { width, height } = size.current;
        const next = {
          x: (width / 2 - transform.x) / transform.k,
          y: (height / 2 - transform.y) / transform.k,
          k: transform.k,
        };
        camera.current = next;
        chart.moveTo(next);
        if (sourceEvent === null) return;
        isTouched.current = true;
        setHover(undefined);
        window.clearTimeout(saving);
        saving = window.setTimeout(() => current.current.saveCamera(), 300);
      });
    zooming.current = behaviour;
    select(element).call(behaviour);
    const observer = new ResizeObserver(() => {
      const [width, height] = [box.clientWidth, box.clientHeight];
      if (width === 0 || height === 0) return;
      const isFirst = size.current.width === 0;
      size.current = { width, height };
      chart.resize(width, height);
      const { at } = place.peek();
      const keep = isFirst ? at : isTouched.current ? camera.current : undefined;
      current.current.applyCamera(keep ?? fitCamera(current.current.scene, width, height));
    });
    observer.observe(box);
    return () => {
      observer.disconnect();
      window.clearTimeout(saving);
      chart.stop();
    };
  }, []);

  useEffect(() => painter.current?.show(scene, focus, readPalette()), [scene, focus, turn]);
  useEffect(() => {
    forgetMeasures();
    painter.current?.resize(size.current.width, size.current.height);
  }, [fontTurn.value]);
  useEffect(() => painter.current?.hover({ ...focus, hovered: hover?.thing }), [focus, hover]);

  // A new map is fitted only as long as the reader has not moved the old one.
  const { hash, version } = { hash: map.layoutHash, version: map.layoutVersion };
  useEffect(() => {
    if (!isTouched.current && size.current.width > 0)
      applyCamera(fitCamera(scene, size.current.width, size.current.height));
  }, [hash, version]);

  const find = (event: MouseEvent): SceneMark | Course | undefined => {
    const { left, top } = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    const { x, y, k } = camera.current;
    const worldX = (event.clientX - left - size.current.width / 2) / k + x;
    const worldY = (event.clientY - top - size.current.height / 2) / k + y;
    const node = nodes.find(worldX, worldY, NODE_REACH / k);
    if (node !== undefined) return node;
    const drawn = scene.courses.filter((course) => course.link.hub === undefined || focus.courses.has(course));
    const course =
      courseAt(focus.isSelection ? [...focus.courses] : drawn, worldX, worldY, COURSE_REACH / k) ??
      courseAt(drawn, worldX, worldY, COURSE_REACH / k);
    if (course !== undefined) return course;
    return scene.marks.find((mark) => {
      if (mark.kind !== "island") return false;
      const [dx, dy] = [worldX - mark.x, ((worldY - mark.y) * 4) / 3];
      return dx * dx + dy * dy < (mark.radius - 42) ** 2;
    });
  };

  const click = (event: MouseEvent) => {
    const thing = find(event);
    if (thing === undefined) go({ sel: "" });
    else if ("link" in thing) {
      const { link } = thing;
      go({ sel: link.edge === undefined ? formatLink(link.client, link.server) : `edge:${link.edge}` });
    } else go({ sel: formatMark(thing) });
  };

  const doubleClick = (event: MouseEvent) => {
    const thing = find(event);
    if (thing !== undefined && !("link" in thing)) setIslandOpen(thing.island, thing.kind === "island");
  };

  const zoomBy = (factor: number) => {
    isTouched.current = true;
    applyCamera({ ...camera.current, k: camera.current.k * factor });
    saveCamera();
  };
  const pan = (dx: number, dy: number) => {
    isTouched.current = true;
    applyCamera({
      ...camera.current,
      x: camera.current.x + dx / camera.current.k,
      y: camera.current.y + dy / camera.current.k,
    });
    saveCamera();
  };
  const fit = () => {
    isTouched.current = false;
    applyCamera(fitCamera(scene, size.current.width, size.current.height));
    go({ at: undefined }, "replace");
  };

  const keys: Record<string, () => void> = {
    ArrowLeft: () => pan(-60, 0),
    ArrowRight: () => pan(60, 0),
    ArrowUp: () => pan(0, -60),
    ArrowDown: () => pan(0, 60),
    "+": () => zoomBy(1.25),
    "=": () => zoomBy(1.25),
    "-": () => zoomBy(0.8),
    "0": fit,
  };
  const press = (event: KeyboardEvent) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  const summary = `Map of ${plural(map.total.nodes, "node")} on ${plural(map.islands.length, "island")} and ${plural(map.total.edges, "edge")}. Arrow keys move it, plus and minus zoom, 0 fits it. Select with the index beside it, the table or the matrix.`;
  return (
    <div
      class="chart"
      ref={frame}
      data-layout={map.layoutHash}
      data-marks={map.marks.length}
      data-links={map.links.length}
    >
      <canvas
        ref={canvas}
        role="application"
        aria-label={summary}
        tabIndex={0}
        onClick={click}
        onDblClick={doubleClick}
        onKeyDown={press}
        onMouseMove={(event) => {
          if (event.buttons !== 0) return;
          const thing = find(event);
          const { left, top } = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
          setHover(thing === undefined ? undefined : { thing, x: event.clientX - left, y: event.clientY - top });
        }}
        onMouseLeave={() => setHover(undefined)}
        data-hover={hover === undefined ? undefined : ""}
      />
      {hover !== undefined && "link" in hover.thing && (
        <div class="chart-tip" style={{ left: `${hover.x + 14}px`, top: `${hover.y + 14}px` }}>
          <strong>
            {shown(scene.markById.get(hover.thing.link.client)?.label ?? "")} →{" "}
            {shown(scene.markById.get(hover.thing.link.server)?.label ?? "")}
          </strong>
          <span>{describe(hover.thing)}</span>
        </div>
      )}
      <div class="chart-tools" role="group" aria-label="Zoom">
        <button type="button" onClick={() => zoomBy(1.25)} aria-label="Zoom in" title="Zoom in (+)">
          +
        </button>
        <button type="button" onClick={() => zoomBy(0.8)} aria-label="Zoom out" title="Zoom out (-)">
          −
        </button>
        <button type="button" onClick={fit} aria-label="Fit the whole map" title="Fit (0)">
          ⤢
        </button>
      </div>
    </div>
  );
}
