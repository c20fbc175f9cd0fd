import { count, shown } from "../format.js";
import { type Projection, toX, toY } from "./paint-sea.js";
import { type Palette, SANS, SERIF } from "./palette.js";
import type { Scene, SceneMark } from "./scene.js";

const FAR = 0.33; // zoom below which single nodes are only dots: no names, no badges, no rims

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const CELL = 96; // px; larger than most labels, so that each lies in few cells

/** Boxes that are taken, so that labels never lie over one another. Kept in cells, or thousands would be compared. */
class LabelField {
  private readonly cells = new Map<string, Box[]>();

  claim(box: Box): boolean {
    const keys: string[] = [];
    for (let column = Math.floor(box.left / CELL); column <= Math.floor(box.right / CELL); column++) {
      for (let row = Math.floor(box.top / CELL); row <= Math.floor(box.bottom / CELL); row++)
        keys.push(`${column} ${row}`);
    }
    const isTaken = keys.some((key) =>
      this.cells
        .get(key)
        ?.some(
          (other) =>
            box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top,
        ),
    );
    if (isTaken) return false;
    for (const key of keys) {
      const list = this.cells.get(key);
      if (list === undefined) this.cells.set(key, [box]);
      else list.push(box);
    }
    return true;
  }
}

const fitted = new Map<string, { readonly text: string; readonly half: number }>();
const FITTED_KEPT = 20_000;

/** A label cut to `width` px with half its width; measured once, because measuring is dear. */
function fitLabel(context: CanvasRenderingContext2D, label: string, width: number): { text: string; half: number } {
  const key = `${context.font}\n${width}\n${label}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  if (fitted.size > FITTED_KEPT) fitted.clear();
  const text = fit(context, label, width);
  const made = { text, half: context.measureText(text).width / 2 };
  fitted.set(key, made);
  return made;
}

/** Forgets what was measured, when the fonts have arrived. */
export function forgetMeasures(): void {
  fitted.clear();
}

function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
  const clean = shown(text, 80);
  if (context.measureText(clean).width <= width) return clean;
  let kept = clean;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function haloText(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  halo: string,
): void {
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = halo;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** A glyph's size on the screen: its own, but never so large that neighbours would touch when seen from afar. */
export function glyphSize(mark: SceneMark, zoom: number): number {
  return Math.min(mark.size, Math.max(1.4, zoom * 24));
}

export function traceMark(
  context: CanvasRenderingContext2D,
  mark: SceneMark,
  x: number,
  y: number,
  zoom: number,
  grow = 0,
): void {
  const size = glyphSize(mark, zoom) + grow;
  context.beginPath();
  switch (mark.kind) {
    case "group":
      context.moveTo(x, y - size * 1.25);
      context.lineTo(x + size * 1.25, y);
      context.lineTo(x, y + size * 1.25);
      context.lineTo(x - size * 1.25, y);
      context.closePath();
      return;
    case "app":
      context.roundRect(x - size, y - size, size * 2, size * 2, 2.5);
      return;
    case "rest":
      for (const dx of [-8, 0, 8]) {
        context.moveTo(x + dx + 3, y);
        context.arc(x + dx, y, 3 + grow / 2, 0, 2 * Math.PI);
      }
      return;
    default:
      context.arc(x, y, size, 0, 2 * Math.PI);
  }
}

function alphaOf(mark: SceneMark, fade: number): number {
  return mark.isMatch || mark.degree === 0 ? 1 - fade : 0.35 * (1 - fade);
}

/** Nodes seen from afar: dots, as few paths as there are ways to fill them. */
function paintDots(
  context: CanvasRenderingContext2D,
  p: Projection,
  marks: readonly SceneMark[],
  palette: Palette,
  fadeOf: (mark: SceneMark) => number,
): void {
  const byFill = new Map<string, { colour: string; alpha: number; marks: SceneMark[] }>();
  for (const mark of marks) {
    const colour = mark.kind === "group" ? palette.group : palette.node;
    const alpha = alphaOf(mark, fadeOf(mark));
    const key = `${colour} ${alpha}`;
    const fill = byFill.get(key);
    if (fill === undefined) byFill.set(key, { colour, alpha, marks: [mark] });
    else fill.marks.push(mark);
  }
  for (const { colour, alpha, marks: same } of byFill.values()) {
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    for (const mark of same) {
      const [x, y, size] = [toX(p, mark.x), toY(p, mark.y), glyphSize(mark, p.camera.k)];
      context.moveTo(x + size, y);
      context.arc(x, y, size, 0, 2 * Math.PI);
    }
    context.fill();
  }
  context.globalAlpha = 1;
}

function paintNode(
  context: CanvasRenderingContext2D,
  p: Projection,
  mark: SceneMark,
  palette: Palette,
  fade: number,
): void {
  const x = toX(p, mark.x);
  const y = toY(p, mark.y);
  context.globalAlpha = alphaOf(mark, fade);
  traceMark(context, mark, x, y, p.camera.k);
  context.fillStyle = mark.kind === "group" ? palette.group : palette.node;
  context.fill();
  if (p.camera.k > FAR) {
    context.lineWidth = 2;
    context.strokeStyle = palette.land;
    context.stroke();
  }
  if (mark.hubs.length > 0 && p.camera.k > FAR) {
    // Like the mark of a footnote: the legend says who is called.
    context.font = `600 9.5px ${SANS}`;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    haloText(
      context,
      mark.hubs.map((hub) => hub + 1).join(" "),
      x + mark.size + 2,
      y - mark.size + 1,
      palette.faint,
      palette.land,
    );
  }
  context.globalAlpha = 1;
}

/** Nodes, island names and labels; `isLit` marks keep their label and their strength when others step back. */
export function paintMarks(
  context: CanvasRenderingContext2D,
  p: Projection,
  scene: Scene,
  palette: Palette,
  isLit: ((mark: SceneMark) => boolean) | undefined,
): void {
  const field = new LabelField();
  const fadeOf = (mark: SceneMark) => (isLit === undefined || isLit(mark) ? 0 : 0.55);
  const nodes = scene.marks.filter((mark) => mark.kind !== "island");
  if (p.camera.k < FAR) paintDots(context, p, nodes, palette, fadeOf);
  else for (const mark of nodes) paintNode(context, p, mark, palette, fadeOf(mark));

  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const island of [...scene.islands].sort((a, b) => b.nodes - a.nodes || (a.id < b.id ? -1 : 1))) {
    const x = toX(p, island.centre.x);
    const top = island.isOpen ? toY(p, island.top) - 5 : toY(p, island.centre.y) - 2;
    context.font = `italic 500 15px ${SERIF}`;
    const text = fit(context, island.label, 220);
    const half = context.measureText(text).width / 2 + 2;
    if (!field.claim({ left: x - half, right: x + half, top: top - 14, bottom: top + 3 })) continue;
    haloText(context, text, x, top, palette.ink, island.isOpen ? palette.sea : palette.land);
    if (!island.isOpen) {
      context.font = `500 11.5px ${SANS}`;
      haloText(
        context,
        island.nodes === 1 ? "1 node" : `${count(island.nodes)} nodes`,
        x,
        top + 16,
        palette.faint,
        palette.land,
      );
      field.claim({ left: x - 30, right: x + 30, top: top + 4, bottom: top + 20 });
    }
  }

  context.font = `500 12px ${SANS}`;
  const byWeight = [...scene.marks]
    .filter((mark) => mark.kind !== "island")
    .sort(
      (a, b) =>
        fadeOf(a) - fadeOf(b) || Number(b.isMatch) - Number(a.isMatch) || b.degree - a.degree || (a.id < b.id ? -1 : 1),
    );
  for (const mark of byWeight) {
    const fade = fadeOf(mark);
    const x = toX(p, mark.x);
    const y = toY(p, mark.y) + glyphSize(mark, p.camera.k) + 13;
    if (p.camera.k < FAR && (isLit === undefined || fade > 0)) continue;
    const { text, half } = fitLabel(context, mark.label, 128);
    const box = { left: x - half, right: x + half, top: y - 10, bottom: y + 2 };
    if (!field.claim(box) && !(isLit !== undefined && fade === 0 && p.camera.k > 0.5)) continue;
    // Only after the claim: which labels are shown must not depend on how far beyond the view is painted.
    if (x < -80 || x > p.width + 80 || y < -20 || y > p.height + 20) continue;
    context.globalAlpha = mark.isMatch || mark.degree === 0 ? 1 - fade : 0.5 * (1 - fade);
    haloText(context, text, x, y, palette.ink, palette.land);
  }
  context.globalAlpha = 1;
}
