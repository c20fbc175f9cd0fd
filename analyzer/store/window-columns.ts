import type { NumberColumn } from "./columns.js";

/** Columns of one answer, a row per conversation window; see `WINDOW_COLUMNS` for their meaning. */
export interface WindowColumns {
  readonly rows: number;
  readonly columns: readonly NumberColumn[];
  /** Row and name of each name seen; row and collector of each observer where a window has more than one. */
  readonly names: { readonly rows: Uint32Array; readonly ids: Uint32Array };
  readonly observers: { readonly rows: Uint32Array; readonly ids: Uint32Array };
}

/** The columns of an answer, in order. Times are microseconds in doubles. */
export const WINDOW_COLUMNS = {
  windowUs: "f64",
  client: "u32",
  server: "u32",
  protocol: "u8",
  service: "u16",
  scope: "u32",
  clientIdentity: "u32",
  serverIdentity: "u32",
  answered: "f64",
  refused: "f64",
  unanswered: "f64",
  midstream: "f64",
  clientPackets: "f64",
  serverPackets: "f64",
  clientBytes: "f64",
  serverBytes: "f64",
  firstUs: "f64",
  lastUs: "f64",
  isCertain: "u8",
  observerLow: "u32",
  observerHigh: "u32",
  sampleRank: "u8",
  sampleUs: "f64",
  samplePort: "u16",
  sampleObserver: "u32",
  sampleClientBytes: "f64",
  sampleServerBytes: "f64",
} as const;
