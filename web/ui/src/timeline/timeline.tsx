import { axisBottom, brushX, type D3BrushEvent, max, scaleLinear, scaleUtc, select, utcFormat } from "d3";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TimelineAnswer } from "../../../api/contract.js";
import { count, duration, shortTime } from "../format.js";
import { go, place } from "../state/location.js";
import { announce } from "../state/preferences.js";
import { useResource } from "../state/resource.js";

const HEIGHT = 74;
const PAD = { left: 30, right: 40, top: 8, bottom: 20 };
const SLICES = 160;

/** Moves the time window by half its width; without one, halves all time towards its end. */
export function shiftWindow(direction: -1 | 1, whole: { fromUs: number; untilUs: number }): void {
  const { from = whole.fromUs, until = whole.untilUs } = place.peek();
  const width = until - from;
  const isWhole = place.peek().from === undefined && place.peek().until === undefined;
  const next = isWhole
    ? direction < 0
      ? { from: whole.fromUs, until: Math.round(whole.fromUs + width / 2) }
      : { from: Math.round(whole.fromUs + width / 2), until: whole.untilUs }
    : { from: Math.round(from + (direction * width) / 2), until: Math.round(until + (direction * width) / 2) };
  if (next.until <= whole.fromUs || next.from >= whole.untilUs) return;
  go({ from: Math.max(0, next.from), until: next.until });
  announce(`Window ${shortTime(next.from)} to ${shortTime(next.until)}`);
}

/** Flows over all stored time, with a brush that sets the window of every view. */
export function Timeline() {
  const resource = useResource<TimelineAnswer>(`/api/timeline?slices=${SLICES}`);
  const svg = useRef<SVGSVGElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const { from, until } = place.value;
  const slices = resource.data?.slices ?? [];

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const first = slices[0];
    const last = slices.at(-1);
    if (svg.current === null || first === undefined || last === undefined || width === 0) return;
    const root = select(svg.current);
    const startUs = first.startUs;
    const endUs = last.startUs + last.widthUs;
    const x = scaleUtc([startUs / 1000, endUs / 1000], [PAD.left, width - PAD.right]);
    const y = scaleLinear(
      [0, max(slices, (slice) => slice.answered + slice.failed) || 1],
      [HEIGHT - PAD.bottom, PAD.top],
    );
    const bar = Math.max(1, (width - PAD.left - PAD.right) / slices.length - 1);
    const floor = HEIGHT - PAD.bottom;
    root.selectAll("g").remove();
    const bars = root.append("g");
    for (const kind of ["answered", "failed"] as const) {
      bars
        .selectAll(`rect.${kind}`)
        .data(slices)
        .join("rect")
        .attr("class", kind)
        .attr("x", (slice) => x(slice.startUs / 1000))
        .attr("width", bar)
        .attr("y", (slice) => (kind === "answered" ? y(slice.answered) : y(slice.answered + slice.failed)))
        .attr("height", (slice) => floor - y(slice[kind]));
    }
    const isShort = endUs - startUs < 2 * 3_600_000_000;
    const ticks = Math.max(2, Math.min(10, Math.floor(width / 110)));
    root
      .append("g")
      .attr("class", "axis")
      .attr("transform", `translate(0,${floor})`)
      .call(
        axisBottom<Date>(x)
          .ticks(ticks)
          .tickSize(4)
          .tickSizeOuter(0)
          .tickFormat(utcFormat(isShort ? "%H:%M:%S" : "%d %b %H:%M")),
      );
    const brush = brushX<unknown>()
      .extent([
        [PAD.left, PAD.top - 4],
        [width - PAD.right, floor],
      ])
      .on("end", ({ sourceEvent, selection }: D3BrushEvent<unknown>) => {
        if (!sourceEvent) return;
        if (selection === null) return go({ from: undefined, until: undefined });
        const [left, right] = selection as [number, number];
        go({ from: Math.round(x.invert(left).getTime() * 1000), until: Math.round(x.invert(right).getTime() * 1000) });
      });
    const layer = root.append("g").attr("class", "brush").call(brush);
    if (from !== undefined || until !== undefined) {
      const left = Math.max(PAD.left, x((from ?? startUs) / 1000));
      const right = Math.min(width - PAD.right, x((until ?? endUs) / 1000));
      if (right > left) layer.call(brush.move, [left, right]);
    }
  }, [slices, width, from, until]);

  const total = slices.reduce((sum, slice) => sum + slice.answered + slice.failed, 0);
  const first = slices[0];
  const last = slices.at(-1);
  return (
    <section class="timeline" aria-label="Time window">
      <div class="timeline-text">
        {from !== undefined || until !== undefined ? (
          <>
            <strong>{duration((until ?? last?.startUs ?? 0) - (from ?? first?.startUs ?? 0))}</strong>
            <span>
              {shortTime(from ?? first?.startUs ?? 0)} – {shortTime(until ?? last?.startUs ?? 0)}
            </span>
            <button type="button" class="link" onClick={() => go({ from: undefined, until: undefined })}>
              Show all time
            </button>
          </>
        ) : (
          <>
            <strong>All time</strong>
            <span>{count(total)} flows</span>
            <span class="quiet">drag to choose a window</span>
          </>
        )}
      </div>
      <div class="timeline-chart" ref={box}>
        <svg
          ref={svg}
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`Flows over time, ${count(total)} in all. Keys [ and ] move the window.`}
        />
      </div>
    </section>
  );
}
