import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { MatrixAnswer } from "../../../api/contract.js";
import { plural, shown } from "../format.js";
import { readPalette } from "../map/palette.js";
import { fontTurn } from "../state/fonts.js";
import { go, place } from "../state/location.js";
import { announce, paletteTurn } from "../state/preferences.js";
import { formatLink, parseSelected } from "../state/selection.js";
import { cellAt, type MatrixLook, matrixGeometry, paintMatrix } from "./paint-matrix.js";

type Cell = MatrixAnswer["cells"][number];

/** Clients against servers: the view in which even a dense graph stays readable. */
export function MatrixView({ matrix }: { matrix: MatrixAnswer }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [cursor, setCursor] = useState<{ row: number; column: number } | undefined>(undefined);
  const selected = parseSelected(place.value.sel);
  const turn = paletteTurn.value;

  const cells = useMemo(() => new Map(matrix.cells.map((cell) => [`${cell.row} ${cell.column}`, cell])), [matrix]);
  const geometry = useMemo(() => matrixGeometry(matrix, size.width, size.height), [matrix, size]);

  useEffect(() => {
    const box = frame.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setSize({ width: box.clientWidth, height: box.clientHeight }));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const chosen = matrix.cells.find((cell) => {
    if (selected.kind === "edge") return cell.edge === selected.id;
    if (selected.kind !== "link") return false;
    return matrix.clients[cell.row]?.id === selected.client && matrix.servers[cell.column]?.id === selected.server;
  });

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d", { alpha: false });
    if (!element || !context || geometry.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(geometry.width * ratio);
    element.height = Math.round(geometry.height * ratio);
    element.style.width = `${geometry.width}px`;
    element.style.height = `${geometry.height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const look: MatrixLook = { palette: readPalette(), cursor, chosen };
    paintMatrix(context, matrix, geometry, look);
  }, [matrix, geometry, cursor, chosen, turn, fontTurn.value]);

  const open = (cell: Cell | undefined) => {
    const client = cell && matrix.clients[cell.row];
    const server = cell && matrix.servers[cell.column];
    if (cell === undefined || client === undefined || server === undefined) return go({ sel: "" });
    go({ sel: cell.edge === undefined ? formatLink(client.id, server.id) : `edge:${cell.edge}` });
  };

  const tell = (row: number, column: number) => {
    setCursor({ row, column });
    const cell = cells.get(`${row} ${column}`);
    const ends = `${shown(matrix.clients[row]?.label ?? "")} to ${shown(matrix.servers[column]?.label ?? "")}`;
    announce(cell === undefined ? `${ends}: nothing seen` : `${ends}: ${cell.services.join(", ")}, ${cell.state}`);
    const box = frame.current;
    if (box === null) return;
    const x = geometry.left + column * geometry.cell;
    const y = geometry.top + row * geometry.cell;
    if (y + geometry.cell * 2 > box.scrollTop + box.clientHeight)
      box.scrollTop = y + geometry.cell * 2 - box.clientHeight;
    if (y - geometry.top < box.scrollTop) box.scrollTop = Math.max(0, y - geometry.top);
    if (x + geometry.cell * 2 > box.scrollLeft + box.clientWidth)
      box.scrollLeft = x + geometry.cell * 2 - box.clientWidth;
    if (x - geometry.left < box.scrollLeft) box.scrollLeft = Math.max(0, x - geometry.left);
  };

  const { row, column } = cursor ?? { row: 0, column: 0 };
  const moves: Record<string, readonly [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = moves[event.key];
    if (step !== undefined) {
      const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
      tell(clamp(row + step[0], matrix.clients.length), clamp(column + step[1], matrix.servers.length));
    } else if (event.key === "Enter") open(cells.get(`${row} ${column}`));
    else return;
    event.preventDefault();
  };

  const hovered = cursor === undefined ? undefined : cells.get(`${cursor.row} ${cursor.column}`);
  return (
    <div class="matrix" data-cells={matrix.cells.length}>
      <div class="matrix-scroll" ref={frame}>
        <canvas
          ref={canvas}
          role="application"
          aria-label={`Matrix of ${plural(matrix.clients.length, "client")} against ${plural(matrix.servers.length, "server")}. Arrow keys move the cursor, Enter opens a cell.`}
          tabIndex={0}
          onKeyDown={press}
          onMouseMove={(event) => setCursor(cellAt(geometry, matrix, event.offsetX, event.offsetY))}
          onMouseLeave={() => setCursor(undefined)}
          onClick={(event) => {
            const at = cellAt(geometry, matrix, event.offsetX, event.offsetY);
            open(at && cells.get(`${at.row} ${at.column}`));
          }}
        />
      </div>
      <p class="matrix-foot">
        {cursor === undefined ? (
          <span class="quiet">Rows open flows, columns answer them.</span>
        ) : (
          <>
            <bdi>{shown(matrix.clients[cursor.row]?.label ?? "")}</bdi> →{" "}
            <bdi>{shown(matrix.servers[cursor.column]?.label ?? "")}</bdi>
            {": "}
            {hovered === undefined
              ? "nothing seen"
              : `${hovered.services.join(", ")} · ${plural(hovered.edges, "edge")} · ${plural(hovered.flows, "flow")} · ${hovered.state}`}
          </>
        )}
      </p>
    </div>
  );
}
