import type { EdgeState } from "../../../../model/graph.js";
import { styleOf } from "../state/edge-states.js";
import { type Projection, toX, toY } from "./paint-sea.js";
import { type Palette, SANS } from "./palette.js";
import type { Course } from "./scene.js";

const SEGMENTS_PER_STROKE = 512; // fewer or many more in one path are both slower
const CROWD = 900; // courses beyond which arrows, dashes and doubled lines would only be dust
const BUSY = 260; // of one state, beyond which they lose their arrows until they are asked for
const NOISY = 24; // excluded courses beyond which they step back: noise must not cover what matters
const GLYPHS = 70; // beyond it the discs would hide one another
const BOTTOM_FIRST: readonly EdgeState[] = ["excluded", "allowed", "undecided", "quarantined"];

function traceCourse(context: CanvasRenderingContext2D, p: Projection, course: Course): void {
  context.moveTo(toX(p, course.from.x), toY(p, course.from.y));
  context.quadraticCurveTo(toX(p, course.bend.x), toY(p, course.bend.y), toX(p, course.to.x), toY(p, course.to.y));
}

function traceArrow(context: CanvasRenderingContext2D, p: Projection, course: Course, size: number): void {
  const x = toX(p, course.to.x);
  const y = toY(p, course.to.y);
  const dx = x - toX(p, course.bend.x);
  const dy = y - toY(p, course.bend.y);
  const far = Math.sqrt(dx * dx + dy * dy) || 1;
  const [ux, uy] = [(dx / far) * size, (dy / far) * size];
  context.moveTo(x, y);
  context.lineTo(x - ux - uy * 0.45, y - uy + ux * 0.45);
  context.lineTo(x - ux * 0.72, y - uy * 0.72);
  context.lineTo(x - ux + uy * 0.45, y - uy - ux * 0.45);
  context.closePath();
}

/** In a crowd nobody sees the bend, and straight lines are painted in half the time. */
function traceStraight(context: CanvasRenderingContext2D, p: Projection, course: Course): void {
  context.moveTo(toX(p, course.from.x), toY(p, course.from.y));
  context.lineTo(toX(p, course.to.x), toY(p, course.to.y));
}

function strokeAll(
  context: CanvasRenderingContext2D,
  p: Projection,
  courses: readonly Course[],
  width: number,
  trace = traceCourse,
): void {
  context.lineWidth = width;
  for (let start = 0; start < courses.length; start += SEGMENTS_PER_STROKE) {
    context.beginPath();
    for (const course of courses.slice(start, start + SEGMENTS_PER_STROKE)) trace(context, p, course);
    context.stroke();
  }
}

function paintState(
  context: CanvasRenderingContext2D,
  p: Projection,
  state: EdgeState,
  courses: readonly Course[],
  palette: Palette,
  isCrowded: boolean,
): void {
  const style = styleOf(state);
  context.strokeStyle = palette.states[state];
  context.fillStyle = palette.states[state];
  context.lineCap = state === "undecided" ? "round" : "butt";
  const byWidth = new Map<number, Course[]>();
  for (const course of courses) {
    const width = isCrowded ? 1 : Math.round(course.width * 2) / 2;
    const list = byWidth.get(width);
    if (list === undefined) byWidth.set(width, [course]);
    else list.push(course);
  }
  context.setLineDash(isCrowded ? [] : [...style.dash]);
  for (const [width, list] of byWidth) {
    if (!style.isDouble || isCrowded) {
      strokeAll(context, p, list, width, isCrowded ? traceStraight : traceCourse);
      continue;
    }
    // A double line: a wide one with its middle painted out.
    strokeAll(context, p, list, width + 2.4);
    context.strokeStyle = palette.land;
    strokeAll(context, p, list, Math.max(1, width));
    context.strokeStyle = palette.states[state];
  }
  context.setLineDash([]);
  if (isCrowded) return;
  context.beginPath();
  for (const course of courses) traceArrow(context, p, course, 6 + course.width * 1.5);
  context.fill();
}

function paintGlyphs(
  context: CanvasRenderingContext2D,
  p: Projection,
  courses: readonly Course[],
  palette: Palette,
): void {
  context.font = `700 10px ${SANS}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const course of courses) {
    const { glyph } = styleOf(course.link.state);
    if (glyph === "") continue;
    const x = toX(p, course.middle.x);
    const y = toY(p, course.middle.y);
    context.beginPath();
    context.arc(x, y, 7.5, 0, 2 * Math.PI);
    context.fillStyle = palette.land;
    context.fill();
    context.strokeStyle = palette.states[course.link.state];
    context.lineWidth = 1.2;
    context.stroke();
    context.fillStyle = palette.states[course.link.state];
    context.fillText(glyph, x, y + (glyph === "▲" ? -0.5 : 0.5));
  }
}

/** How strongly a state is drawn, by how many courses there are of it and of all. */
function strengthOf(state: EdgeState, ofState: number, isCrowded: boolean): number {
  switch (state) {
    case "allowed":
      return isCrowded ? 0.1 : ofState > BUSY ? 0.24 : 0.72;
    case "excluded":
      return isCrowded ? 0.1 : ofState > NOISY ? 0.3 : 0.8;
    case "quarantined":
    case "undecided":
      return isCrowded ? 0.6 : 0.95;
  }
}

/**
 * Noise first and what a person must decide last, so that this lies on top. `fade` is 0..1, how much the drawing steps
 * back. The more courses there are of a calm state, the fainter: they are there to be asked for, not to be counted.
 */
export function paintCourses(
  context: CanvasRenderingContext2D,
  p: Projection,
  courses: readonly Course[],
  palette: Palette,
  fade: number,
): void {
  const isCrowded = courses.length > CROWD;
  const glyphs: Course[] = [];
  for (const state of BOTTOM_FIRST) {
    const ofState = courses.filter((course) => course.link.state === state);
    if (ofState.length === 0) continue;
    const isMany = ofState.length > (state === "excluded" ? NOISY : BUSY);
    context.globalAlpha = strengthOf(state, ofState.length, isCrowded) * (1 - fade);
    paintState(context, p, state, ofState, palette, isCrowded || isMany);
    if (!isMany && state !== "allowed") glyphs.push(...ofState);
  }
  if (glyphs.length <= GLYPHS) {
    context.globalAlpha = 1 - fade;
    paintGlyphs(context, p, glyphs, palette);
  }
  context.globalAlpha = 1;
}
