import type { MatrixAnswer } from "../../../api/contract.js";
import { shown } from "../format.js";
import { type Palette, SANS, SERIF } from "../map/palette.js";
import { styleOf } from "../state/edge-states.js";

export interface MatrixGeometry {
  readonly left: number; // room for the names of clients and of their islands
  readonly top: number; // room for those of servers
  readonly cell: number; // px
  readonly width: number;
  readonly height: number;
}

export interface MatrixLook {
  readonly palette: Palette;
  readonly cursor: { readonly row: number; readonly column: number } | undefined;
  readonly chosen: { readonly row: number; readonly column: number } | undefined;
}

const ISLAND_ROOM = 30;

/** Room for the longest name, within bounds; about 6.4 px a letter. */
function labelRoom(heads: readonly { readonly label: string }[]): number {
  const longest = heads.reduce((most, { label }) => Math.max(most, shown(label, 60).length), 0);
  return Math.max(56, Math.min(140, 14 + longest * 6.4));
}

/** The largest cells with which everything fits, within bounds in which names can still be read. */
export function matrixGeometry(matrix: MatrixAnswer, width: number, height: number): MatrixGeometry {
  const [left, top] = [labelRoom(matrix.clients) + ISLAND_ROOM, labelRoom(matrix.servers) + ISLAND_ROOM];
  if (width === 0) return { left, top, cell: 14, width: 0, height: 0 };
  const across = (width - left - 20) / Math.max(1, matrix.servers.length);
  const down = (height - top - 20) / Math.max(1, matrix.clients.length);
  const cell = Math.floor(Math.max(13, Math.min(26, across, down)));
  return {
    left,
    top,
    cell,
    width: Math.max(width, left + matrix.servers.length * cell + 20),
    height: Math.max(height, top + matrix.clients.length * cell + 20),
  };
}

export function cellAt(geometry: MatrixGeometry, matrix: MatrixAnswer, x: number, y: number) {
  const row = Math.floor((y - geometry.top) / geometry.cell);
  const column = Math.floor((x - geometry.left) / geometry.cell);
  const isInside = row >= 0 && column >= 0 && row < matrix.clients.length && column < matrix.servers.length;
  return isInside ? { row, column } : undefined;
}

type Head = MatrixAnswer["clients"][number];

/** Runs of neighbours on one island. */
function islandRuns(heads: readonly Head[]): { island: string; first: number; count: number }[] {
  const runs: { island: string; first: number; count: number }[] = [];
  heads.forEach(({ island }, i) => {
    const last = runs.at(-1);
    if (last?.island === island) last.count++;
    else runs.push({ island, first: i, count: 1 });
  });
  return runs;
}

function clip(context: CanvasRenderingContext2D, text: string, width: number): string {
  const clean = shown(text, 60);
  if (context.measureText(clean).width <= width) return clean;
  let kept = clean;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** Names along one side, and beyond them the islands that they stand on. The origin is the cells' corner. */
function paintHeads(
  context: CanvasRenderingContext2D,
  heads: readonly Head[],
  side: "rows" | "columns",
  room: number, // px from the cells to the islands' names
  cell: number,
  palette: Palette,
  lit: number | undefined,
): void {
  const isRows = side === "rows";
  const write = (along: number, away: number, isTurned: boolean, text: () => void) => {
    context.save();
    context.translate(isRows ? -away : along, isRows ? along : -away);
    if (isTurned) context.rotate(-Math.PI / 2);
    text();
    context.restore();
  };
  context.textBaseline = "middle";
  heads.forEach((head, i) => {
    context.font = `${i === lit ? 700 : 400} ${Math.min(12.5, cell - 1)}px ${SANS}`;
    context.fillStyle = palette.ink;
    context.textAlign = isRows ? "right" : "left";
    write((i + 0.5) * cell, 7, !isRows, () => context.fillText(clip(context, head.label, room - 14), 0, 0.5));
  });
  context.textAlign = "center";
  context.font = `italic 500 13px ${SERIF}`;
  context.fillStyle = palette.faint;
  context.strokeStyle = palette.coast;
  context.lineWidth = 1;
  for (const { island, first, count } of islandRuns(heads)) {
    const length = count * cell;
    if (length > 30) {
      write(first * cell + length / 2, room + 14, isRows, () =>
        context.fillText(clip(context, island, length - 4), 0, 0),
      );
    }
    context.beginPath();
    const [from, to] = [first * cell + 2, first * cell + length - 2];
    context.moveTo(isRows ? -room : from, isRows ? from : -room);
    context.lineTo(isRows ? -room : to, isRows ? to : -room);
    context.stroke();
  }
}

export function paintMatrix(
  context: CanvasRenderingContext2D,
  matrix: MatrixAnswer,
  geometry: MatrixGeometry,
  look: MatrixLook,
): void {
  const { left, top, cell } = geometry;
  const { palette, cursor, chosen } = look;
  const [across, down] = [matrix.servers.length * cell, matrix.clients.length * cell];
  context.fillStyle = palette.sea;
  context.fillRect(0, 0, geometry.width, geometry.height);
  context.fillStyle = palette.land;
  context.fillRect(left, top, across, down);

  if (cursor !== undefined) {
    context.globalAlpha = 0.14;
    context.fillStyle = palette.focus;
    context.fillRect(left, top + cursor.row * cell, across, cell);
    context.fillRect(left + cursor.column * cell, top, cell, down);
    context.globalAlpha = 1;
  }
  context.strokeStyle = palette.rhumb;
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i <= matrix.servers.length; i++) {
    context.moveTo(left + i * cell + 0.5, top);
    context.lineTo(left + i * cell + 0.5, top + down);
  }
  for (let i = 0; i <= matrix.clients.length; i++) {
    context.moveTo(left, top + i * cell + 0.5);
    context.lineTo(left + across, top + i * cell + 0.5);
  }
  context.stroke();

  context.strokeStyle = palette.coast;
  context.beginPath();
  for (const { first } of islandRuns(matrix.servers)) {
    context.moveTo(left + first * cell + 0.5, top - 4);
    context.lineTo(left + first * cell + 0.5, top + down);
  }
  for (const { first } of islandRuns(matrix.clients)) {
    context.moveTo(left - 4, top + first * cell + 0.5);
    context.lineTo(left + across, top + first * cell + 0.5);
  }
  context.stroke();
  context.strokeRect(left + 0.5, top + 0.5, across, down);

  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { row, column, state, flows, counts } of matrix.cells) {
    const x = left + column * cell;
    const y = top + row * cell;
    const inset = Math.max(1.5, cell * (0.36 - Math.min(0.26, Math.log10(1 + flows) * 0.075)));
    context.fillStyle = palette.states[state];
    if (state === "allowed") {
      context.fillRect(x + inset, y + inset, cell - 2 * inset + 1, cell - 2 * inset + 1);
      if (counts.excluded > 0) {
        // Noise beside the need is a notch in the corner.
        context.fillStyle = palette.states.excluded;
        context.beginPath();
        context.moveTo(x + cell, y + 1);
        context.lineTo(x + cell, y + 1 + cell * 0.38);
        context.lineTo(x + cell * 0.62, y + 1);
        context.fill();
      }
      continue;
    }
    // What needs attention is drawn hollow with its glyph, so that it differs without colour too.
    context.strokeStyle = palette.states[state];
    context.lineWidth = 1.5;
    context.strokeRect(x + 2.5, y + 2.5, cell - 4, cell - 4);
    context.font = `700 ${Math.round(cell * 0.62)}px ${SANS}`;
    context.fillText(styleOf(state).glyph, x + cell / 2 + 0.5, y + cell / 2 + 1);
  }
  if (chosen !== undefined) {
    context.strokeStyle = palette.focus;
    context.lineWidth = 2.5;
    context.strokeRect(left + chosen.column * cell - 1, top + chosen.row * cell - 1, cell + 3, cell + 3);
  }
  context.save();
  context.translate(left, top);
  paintHeads(context, matrix.clients, "rows", left - ISLAND_ROOM, cell, palette, cursor?.row);
  paintHeads(context, matrix.servers, "columns", top - ISLAND_ROOM, cell, palette, cursor?.column);
  context.restore();
}
