import type { Camera } from "../state/location.js";
import { offshore, type Point } from "./coastline.js";
import type { Palette } from "./palette.js";
import type { Scene, SceneIsland } from "./scene.js";

/** World to screen. */
export interface Projection {
  readonly camera: Camera;
  readonly width: number;
  readonly height: number;
}

export const toX = (p: Projection, x: number): number => (x - p.camera.x) * p.camera.k + p.width / 2;
export const toY = (p: Projection, y: number): number => (y - p.camera.y) * p.camera.k + p.height / 2;

/** A closed, rounded path through the points. */
function tracePath(context: CanvasRenderingContext2D, projection: Projection, points: readonly Point[]): void {
  const at = (i: number) => points[(i + points.length) % points.length] as Point;
  const mid = (a: Point, b: Point) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const start = mid(at(-1), at(0));
  context.beginPath();
  context.moveTo(toX(projection, start.x), toY(projection, start.y));
  for (let i = 0; i < points.length; i++) {
    const corner = at(i);
    const end = mid(corner, at(i + 1));
    context.quadraticCurveTo(
      toX(projection, corner.x),
      toY(projection, corner.y),
      toX(projection, end.x),
      toY(projection, end.y),
    );
  }
  context.closePath();
}

/** The net of rhumb lines that portolan charts are drawn over: sixteen roses on a circle, each joined with the others. */
function paintRhumbs(context: CanvasRenderingContext2D, projection: Projection, scene: Scene, palette: Palette): void {
  const { x, y, width, height } = scene.bounds;
  const centre = { x: x + width / 2, y: y + height / 2 };
  const reach = Math.max(width, height, 400) * 0.62;
  const roses = Array.from({ length: 16 }, (_, i) => {
    const angle = (i / 16) * 2 * Math.PI;
    return { x: centre.x + reach * Math.cos(angle), y: centre.y + reach * Math.sin(angle) };
  });
  context.strokeStyle = palette.rhumb;
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i < 16; i++) {
    for (const step of [3, 5, 6, 7, 8]) {
      const from = roses[i] as Point;
      const to = roses[(i + step) % 16] as Point;
      // Each line runs on past both roses, as if the sheet were larger.
      const dx = (to.x - from.x) * 0.6;
      const dy = (to.y - from.y) * 0.6;
      context.moveTo(toX(projection, from.x - dx), toY(projection, from.y - dy));
      context.lineTo(toX(projection, to.x + dx), toY(projection, to.y + dy));
    }
  }
  context.stroke();
}

const WATER_LINES = [
  { by: 26, alpha: 0.28 },
  { by: 15, alpha: 0.45 },
  { by: 7, alpha: 0.7 },
];

function paintIsland(
  context: CanvasRenderingContext2D,
  projection: Projection,
  island: SceneIsland,
  palette: Palette,
): void {
  const scale = Math.max(0.4, Math.min(1, projection.camera.k));
  for (const { by, alpha } of WATER_LINES) {
    tracePath(context, projection, offshore(island.coast, island.centre, (by * scale) / projection.camera.k));
    context.globalAlpha = alpha;
    context.strokeStyle = palette.water;
    context.lineWidth = 1;
    context.stroke();
  }
  context.globalAlpha = 1;
  tracePath(context, projection, island.coast);
  context.fillStyle = palette.land;
  context.fill();
  context.strokeStyle = palette.coast;
  context.lineWidth = 1.25;
  context.stroke();
}

export function paintSea(
  context: CanvasRenderingContext2D,
  projection: Projection,
  scene: Scene,
  palette: Palette,
): void {
  context.fillStyle = palette.sea;
  context.fillRect(0, 0, projection.width, projection.height);
  paintRhumbs(context, projection, scene, palette);
  for (const island of scene.islands) paintIsland(context, projection, island, palette);
}

/** A compass rose, `size` px from its middle to a point. */
export function paintRose(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  palette: Palette,
): void {
  context.save();
  context.translate(x, y);
  context.strokeStyle = palette.coast;
  context.lineWidth = 1;
  for (const ring of [0.62, 0.68]) {
    context.beginPath();
    context.arc(0, 0, size * ring, 0, 2 * Math.PI);
    context.stroke();
  }
  for (let i = 0; i < 16; i++) {
    const rank = i % 4 === 0 ? 1 : i % 2 === 0 ? 0.66 : 0.4;
    const angle = (i / 16) * 2 * Math.PI - Math.PI / 2;
    const side = Math.PI / 16;
    const point = { x: Math.cos(angle) * size * rank, y: Math.sin(angle) * size * rank };
    for (const turn of [-1, 1]) {
      context.beginPath();
      context.moveTo(0, 0);
      context.lineTo(Math.cos(angle + side * turn) * size * 0.2, Math.sin(angle + side * turn) * size * 0.2);
      context.lineTo(point.x, point.y);
      context.closePath();
      context.fillStyle = turn < 0 ? palette.coast : palette.land;
      context.fill();
      context.stroke();
    }
  }
  context.fillStyle = palette.states.quarantined;
  context.font = `600 12px ${"Georgia, serif"}`;
  context.textAlign = "center";
  context.fillText("N", 0, -size - 5);
  context.restore();
}
