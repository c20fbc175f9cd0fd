import type { EdgeState } from "../../../../model/graph.js";
import { styleOf } from "../state/edge-states.js";

/** A sample of a state's line with its glyph, as the map draws it. */
export function StateLine({ state, width = 44 }: { state: EdgeState; width?: number }) {
  const { dash, glyph, isDouble } = styleOf(state);
  const middle = width / 2;
  return (
    <svg class={`state-line state-${state}`} width={width} height="16" viewBox={`0 0 ${width} 16`} aria-hidden="true">
      {isDouble ? (
        <path d={`M1 6.4H${width - 8}M1 9.6H${width - 8}`} class="line" stroke-width="1.2" />
      ) : (
        <path d={`M1 8H${width - 8}`} class="line" stroke-width="2" stroke-dasharray={dash.join(" ")} />
      )}
      <path d={`M${width} 8l-9 -4 2.5 4 -2.5 4z`} class="tip" />
      {glyph !== "" && (
        <>
          <circle cx={middle - 4} cy="8" r="6.5" class="disc" />
          <text x={middle - 4} y="11.4" text-anchor="middle" class="glyph">
            {glyph}
          </text>
        </>
      )}
    </svg>
  );
}

/** The word of a state with its glyph in front, for tables and headings. */
export function StateWord({ state }: { state: EdgeState }) {
  const { glyph, word } = styleOf(state);
  return (
    <span class={`state-word state-${state}`}>
      <span class="state-glyph" aria-hidden="true">
        {glyph === "" ? "●" : glyph}
      </span>
      {word}
    </span>
  );
}
