import type { Camera } from "../state/location.js";
import { paintCourses } from "./paint-courses.js";
import { paintMarks, traceMark } from "./paint-marks.js";
import { type Projection, paintRose, paintSea, toX, toY } from "./paint-sea.js";
import type { Palette } from "./palette.js";
import type { Course, Scene, SceneMark } from "./scene.js";

/** What is in the light: marks and courses of the selection, and what the pointer is over. */
export interface Focus {
  readonly marks: ReadonlySet<string>;
  readonly courses: ReadonlySet<Course>;
  readonly isSelection: boolean; // something is selected, so the rest steps back
  readonly selected: string | undefined; // mark id with a ring
  readonly hovered: SceneMark | Course | undefined;
}

export const NO_FOCUS: Focus = {
  marks: new Set(),
  courses: new Set(),
  isSelection: false,
  selected: undefined,
  hovered: undefined,
};

const MARGIN = 0.35; // of the view on each side: how far a drag may go before it must be painted anew
const SETTLE_MS = 100;
const CHEAP_MS = 9; // a painting as cheap as this is done for every frame; a dearer one is moved as a bitmap

/**
 * Paints a scene into a canvas. While a large scene is moved, it is painted once into a bitmap with a margin, which is
 * shifted and scaled until the gesture leaves it. At rest it is painted anew to the view's own size, so that a resting
 * picture depends on nothing but the scene and the camera.
 */
export class ChartPainter {
  private readonly bitmap = document.createElement("canvas");
  private painted: { camera: Camera; width: number; height: number; margin: number } | undefined;
  private isMoving = false;
  private cost = 0;
  private settle: number | undefined;
  private frame: number | undefined;
  private scene: Scene | undefined;
  private focus: Focus = NO_FOCUS;
  private camera: Camera = { x: 0, y: 0, k: 1 };
  private width = 0;
  private height = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private palette: Palette,
  ) {}

  show(scene: Scene | undefined, focus: Focus, palette: Palette): void {
    this.scene = scene;
    this.focus = focus;
    this.palette = palette;
    this.painted = undefined;
    this.request();
  }

  /** A change of hover needs only the overlay. */
  hover(focus: Focus): void {
    this.focus = focus;
    this.request();
  }

  resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.painted = undefined;
    this.request();
  }

  moveTo(camera: Camera): void {
    this.camera = camera;
    this.isMoving = true;
    window.clearTimeout(this.settle);
    this.settle = window.setTimeout(() => {
      this.isMoving = false;
      this.request();
    }, SETTLE_MS);
    this.request();
  }

  stop(): void {
    window.clearTimeout(this.settle);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
  }

  private request(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  private isCrisp(): boolean {
    const { painted, camera } = this;
    return (
      painted !== undefined &&
      painted.camera.x === camera.x &&
      painted.camera.y === camera.y &&
      painted.camera.k === camera.k
    );
  }

  private isWithinMargin(): boolean {
    const { painted, camera } = this;
    if (painted === undefined) return false;
    const zoom = camera.k / painted.camera.k;
    if (zoom > 2.2 || zoom < 0.62) return false;
    const spareX = painted.width / 2 / painted.camera.k - this.width / 2 / camera.k;
    const spareY = painted.height / 2 / painted.camera.k - this.height / 2 / camera.k;
    return Math.abs(camera.x - painted.camera.x) <= spareX && Math.abs(camera.y - painted.camera.y) <= spareY;
  }

  private draw(): void {
    if (this.width === 0 || this.height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const pixelWidth = Math.round(this.width * ratio);
    const pixelHeight = Math.round(this.height * ratio);
    if (this.canvas.width !== pixelWidth || this.canvas.height !== pixelHeight) {
      this.canvas.width = pixelWidth;
      this.canvas.height = pixelHeight;
    }
    const isDear = this.cost >= CHEAP_MS;
    const margin = this.isMoving && isDear ? MARGIN : 0;
    const isUsable = this.isMoving && isDear ? this.isWithinMargin() : this.isCrisp() && this.painted?.margin === 0;
    if (!isUsable) this.paint(ratio, margin);
    const { painted, camera } = this;
    const context = this.canvas.getContext("2d", { alpha: false });
    if (context === null || painted === undefined) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.palette.sea;
    context.fillRect(0, 0, pixelWidth, pixelHeight);
    const zoom = camera.k / painted.camera.k;
    const left = ((painted.camera.x - camera.x) * camera.k + this.width / 2 - (painted.width / 2) * zoom) * ratio;
    const top = ((painted.camera.y - camera.y) * camera.k + this.height / 2 - (painted.height / 2) * zoom) * ratio;
    context.drawImage(this.bitmap, left, top, painted.width * zoom * ratio, painted.height * zoom * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintOverlay(context, { camera, width: this.width, height: this.height });
    paintRose(context, this.width - 58, this.height - 56, 36, this.palette);
  }

  private paint(ratio: number, margin: number): void {
    const start = performance.now();
    // Whole pixels, so that the bitmap lies on the canvas without a blur.
    const width = this.width + 2 * Math.round(this.width * margin);
    const height = this.height + 2 * Math.round(this.height * margin);
    this.bitmap.width = Math.round(width * ratio);
    this.bitmap.height = Math.round(height * ratio);
    const context = this.bitmap.getContext("2d", { alpha: false });
    if (context === null) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const projection = { camera: this.camera, width, height };
    const { scene, palette, focus } = this;
    if (scene === undefined) {
      context.fillStyle = palette.sea;
      context.fillRect(0, 0, width, height);
    } else {
      paintSea(context, projection, scene, palette);
      const calm = scene.courses.filter((course) => course.link.hub === undefined && !focus.courses.has(course));
      paintCourses(context, projection, calm, palette, focus.isSelection ? 0.74 : 0);
      const lit = [...focus.courses].map((course) => ({ ...course, width: course.width + 0.9 }));
      paintCourses(context, projection, lit, palette, 0);
      paintMarks(
        context,
        projection,
        scene,
        palette,
        focus.isSelection ? (mark) => focus.marks.has(mark.id) : undefined,
      );
    }
    this.painted = { camera: this.camera, width, height, margin };
    this.cost = performance.now() - start;
  }

  private paintOverlay(context: CanvasRenderingContext2D, projection: Projection): void {
    const { focus, palette, scene } = this;
    const ringed = focus.selected === undefined ? undefined : scene?.markById.get(focus.selected);
    for (const [mark, width] of [
      [ringed, 3],
      [focus.hovered, 2],
    ] as const) {
      if (mark === undefined) continue;
      context.strokeStyle = palette.focus;
      context.lineWidth = width;
      if ("link" in mark) {
        context.globalAlpha = 0.45;
        context.lineWidth = mark.width + 5;
        context.beginPath();
        context.moveTo(toX(projection, mark.from.x), toY(projection, mark.from.y));
        context.quadraticCurveTo(
          toX(projection, mark.bend.x),
          toY(projection, mark.bend.y),
          toX(projection, mark.to.x),
          toY(projection, mark.to.y),
        );
        context.stroke();
        context.globalAlpha = 1;
      } else if (mark.kind !== "island") {
        traceMark(context, mark, toX(projection, mark.x), toY(projection, mark.y), projection.camera.k, 5);
        context.stroke();
      }
    }
  }
}
