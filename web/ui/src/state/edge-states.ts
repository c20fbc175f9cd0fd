import type { EdgeState } from "../../../../model/graph.js";

/** How each state of an edge looks and reads. Never colour alone: line, glyph and word differ too. */
export interface StateStyle {
  readonly state: EdgeState;
  readonly word: string;
  readonly meaning: string;
  readonly colour: string; // custom property
  readonly dash: readonly number[];
  readonly isDouble: boolean;
  readonly glyph: string;
}

export const STATE_STYLES: readonly StateStyle[] = [
  {
    state: "allowed",
    word: "allowed",
    meaning: "a proposed rule permits it",
    colour: "--allowed",
    dash: [],
    isDouble: false,
    glyph: "",
  },
  {
    state: "quarantined",
    word: "quarantined",
    meaning: "seen, but a person must decide",
    colour: "--quarantined",
    dash: [11, 5],
    isDouble: false,
    glyph: "▲",
  },
  {
    state: "undecided",
    word: "undecided",
    meaning: "direction unknown or too little seen",
    colour: "--undecided",
    dash: [2, 4],
    isDouble: false,
    glyph: "?",
  },
  {
    state: "excluded",
    word: "excluded",
    meaning: "noise: scans, refused, unanswered",
    colour: "--excluded",
    dash: [],
    isDouble: true,
    glyph: "×",
  },
];

export const styleOf = (state: EdgeState): StateStyle =>
  STATE_STYLES.find((style) => style.state === state) as StateStyle;
