import type { GraphLevel } from "../../../../model/graph.js";

/** Where the reader is: everything that a link must carry. */
export interface Place {
  readonly page: "explore" | "proposals" | "enforcement" | "sensors";
  readonly view: "map" | "table" | "matrix";
  readonly level: GraphLevel;
  readonly group: string; // what makes an island
  readonly q: string;
  readonly from: number | undefined; // µs
  readonly until: number | undefined;
  readonly open: readonly string[] | "all";
  readonly closed: readonly string[];
  readonly hubs: "badges" | "links";
  readonly sort: string; // of the table: field, with "-" in front for descending
  readonly sel: string; // "edge:ID", "node:ID", "island:NAME" or "link:CLIENT>SERVER" of marks
  readonly at: Camera | undefined; // pan and zoom of the map; undefined fits it
  readonly tab: string; // of the proposals page
  readonly item: string; // rule, file or exclusion selected there
  readonly span: Span; // of the enforcement page, back from now
}

export const SPANS = ["hour", "day", "week", "month"] as const;
export type Span = (typeof SPANS)[number];

/** The world point at the middle of the map and pixels per world unit. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** A camera as an address can carry it: finer than a pixel, so that a link shows the very same picture. */
export function roundCamera({ x, y, k }: Camera): Camera {
  return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10, k: Number(k.toPrecision(5)) };
}

export const START: Place = {
  page: "explore",
  view: "map",
  level: "workload",
  group: "namespace",
  q: "",
  from: undefined,
  until: undefined,
  open: [],
  closed: [],
  hubs: "badges",
  sort: "-flows",
  sel: "",
  at: undefined,
  tab: "rules",
  item: "",
  span: "day",
};

const PAGES: readonly Place["page"][] = ["explore", "proposals", "enforcement", "sensors"];
const VIEWS: readonly Place["view"][] = ["map", "table", "matrix"];
const LEVELS: readonly GraphLevel[] = ["workload", "app", "namespace"];

function oneOf<T extends string>(list: readonly T[], text: string | null, otherwise: T): T {
  return list.find((value) => value === text) ?? otherwise;
}

function timeOf(text: string | null): number | undefined {
  const number = text === null ? Number.NaN : Number(text);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function cameraOf(text: string | null): Camera | undefined {
  const [x, y, k] = (text ?? "").split(",").map(Number);
  if (x === undefined || y === undefined || k === undefined) return undefined;
  return [x, y, k].every(Number.isFinite) && k > 0 ? { x, y, k } : undefined;
}

const names = (text: string | null): string[] => {
  if (text === null || text === "") return [];
  try {
    return text.split(",").map(decodeURIComponent);
  } catch {
    return [];
  }
};

export const nameList = (list: readonly string[]): string => list.map(encodeURIComponent).join(",");

/** Reads an address; whatever is not understood is as if it were absent. */
export function parsePlace(path: string, search: string): Place {
  const params = new URLSearchParams(search);
  const text = (key: "q" | "group" | "sort" | "sel" | "tab" | "item") => params.get(key) ?? START[key];
  return {
    page: oneOf(PAGES, path.replace(/^\/|\/$/g, ""), START.page),
    view: oneOf(VIEWS, params.get("view"), START.view),
    level: oneOf(LEVELS, params.get("level"), START.level),
    group: text("group"),
    q: text("q"),
    from: timeOf(params.get("from")),
    until: timeOf(params.get("until")),
    open: params.get("open") === "*" ? "all" : names(params.get("open")),
    closed: names(params.get("closed")),
    hubs: params.get("hubs") === "links" ? "links" : "badges",
    sort: text("sort"),
    sel: text("sel"),
    at: cameraOf(params.get("at")),
    tab: text("tab"),
    item: text("item"),
    span: oneOf(SPANS, params.get("span"), START.span),
  };
}

/** The address of a place; what is as it starts is left out. */
export function formatPlace(place: Place): string {
  const params = new URLSearchParams();
  for (const key of ["view", "level", "group", "q", "hubs", "sort", "sel", "tab", "item", "span"] as const) {
    if (place[key] !== START[key]) params.set(key, place[key]);
  }
  for (const key of ["from", "until"] as const) {
    const value = place[key];
    if (value !== undefined) params.set(key, String(value));
  }
  if (place.open === "all") params.set("open", "*");
  else if (place.open.length > 0) params.set("open", nameList(place.open));
  if (place.closed.length > 0) params.set("closed", nameList(place.closed));
  if (place.at !== undefined) {
    const { x, y, k } = roundCamera(place.at);
    params.set("at", `${x},${y},${k}`);
  }
  const search = params.toString();
  return `/${place.page}${search === "" ? "" : `?${search}`}`;
}
