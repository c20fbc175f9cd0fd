import { createHash } from "node:crypto";
import { EnforcerError } from "./enforcer-error.js";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** One element of a set as `nft -j` lists it. */
export interface ListedElement {
  /** Each part of the key as nft spells it, joined as in a ruleset: `10.0.0.0/8 . 10.0.0.2 . 6 . 80-90`. */
  readonly key: string;
  readonly parts: readonly string[];
  readonly packets: number;
  readonly comment: string;
  readonly timeoutS: number | undefined; // absent: permanent
  readonly expiresS: number | undefined;
}

export interface ListedRule {
  readonly comment: string;
  readonly jumps: readonly string[]; // chains that it names
}

/** Our table as the kernel lists it. */
export interface KernelListing {
  readonly handle: number; // another one when the table was made anew
  readonly isDormant: boolean;
  readonly counters: ReadonlyMap<string, number>; // packets
  readonly sets: ReadonlyMap<string, readonly ListedElement[]>;
  readonly chains: ReadonlyMap<string, readonly ListedRule[]>;
  /** SHA-256, in hex, of all that nobody but us may change; `without` leaves out sets, chains and counters by name. */
  readonly hash: (without?: ReadonlySet<string>) => string;
}

/** Nobody asks it anything: its rules say by comments what the table holds, and whose it is. */
export const OWNER_CHAIN = "owner";

/** Sets whose elements come and go while the rules stay: leases, and what packets add. */
function isState(name: string, body: JsonObject): boolean {
  return name === "cut" || name.startsWith("lease_") || "timeout" in body;
}

function partText(value: Json): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const object = value as JsonObject;
    const { prefix, range } = object;
    if (prefix !== undefined && typeof prefix === "object" && prefix !== null) {
      const { addr, len } = prefix as JsonObject;
      return `${String(addr)}/${String(len)}`;
    }
    if (Array.isArray(range)) return `${String(range[0])}-${String(range[1])}`;
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

const numberOf = (value: Json | undefined) => (typeof value === "number" ? value : undefined);

function elementOf(value: Json): ListedElement {
  const isWrapped = typeof value === "object" && value !== null && "elem" in value;
  const elem = (isWrapped ? (value as JsonObject).elem : { val: value }) as JsonObject;
  const val = elem.val ?? null;
  const concat = typeof val === "object" && val !== null && "concat" in val ? (val as JsonObject).concat : undefined;
  const parts = (Array.isArray(concat) ? (concat as readonly Json[]) : [val]).map(partText);
  const counter = elem.counter as JsonObject | undefined;
  return {
    key: parts.join(" . "),
    parts,
    packets: numberOf(counter?.packets) ?? 0,
    comment: typeof elem.comment === "string" ? elem.comment : "",
    timeoutS: numberOf(elem.timeout),
    expiresS: numberOf(elem.expires),
  };
}

function jumpsOf(expr: Json | undefined): string[] {
  const statements = Array.isArray(expr) ? (expr as readonly JsonObject[]) : [];
  return statements.flatMap((statement) =>
    ["jump", "goto"].flatMap((kind) => {
      const target = (statement[kind] as JsonObject | undefined)?.target;
      return typeof target === "string" ? [target] : [];
    }),
  );
}

/** A line that changes when somebody changes the object, and not when packets do. */
function canonical(tag: string, body: JsonObject, elements: readonly ListedElement[]): string {
  const { handle, elem, packets, bytes, flags, ...rest } = body;
  const kept = tag === "table" ? rest : { ...rest, flags: flags ?? null };
  const keys = isState(String(body.name), body) ? [] : elements.map(({ key, comment }) => `${key} ${comment}`).sort();
  return `${tag} ${JSON.stringify(kept)} ${JSON.stringify(keys)}`;
}

/**
 * Reads what nft lists for `list table inet portolan`.
 * @returns undefined when there is no such table
 * @throws {EnforcerError} `unreadable-listing`
 */
export function readListing(objects: readonly unknown[]): KernelListing | undefined {
  let table: JsonObject | undefined;
  const counters = new Map<string, number>();
  const sets = new Map<string, ListedElement[]>();
  const chains = new Map<string, ListedRule[]>();
  const lines: { name: string; line: string }[] = [];
  for (const object of objects as readonly JsonObject[]) {
    const [entry] = Object.entries(object);
    if (entry === undefined)
      throw new EnforcerError("unreadable-listing", "Cannot read what nft lists: an empty object");
    const [tag, body] = entry as [string, JsonObject];
    if (tag === "metainfo") continue;
    const name = String(body.name);
    if (tag === "rule") {
      const chain = String(body.chain);
      const rules = chains.get(chain) ?? [];
      rules.push({ comment: typeof body.comment === "string" ? body.comment : "", jumps: jumpsOf(body.expr) });
      chains.set(chain, rules);
      const { handle, ...kept } = body;
      if (chain !== OWNER_CHAIN) lines.push({ name: chain, line: `rule ${rules.length} ${JSON.stringify(kept)}` });
      continue;
    }
    const elements = Array.isArray(body.elem) ? (body.elem as readonly Json[]).map(elementOf) : [];
    if (tag === "table") table = body;
    else if (tag === "counter") counters.set(name, numberOf(body.packets) ?? 0);
    else if (tag === "set" || tag === "map") sets.set(name, elements);
    else if (tag === "chain" && !chains.has(name)) chains.set(name, []);
    lines.push({ name, line: canonical(tag, body, elements) });
  }
  if (table === undefined) return undefined;
  const { flags, handle } = table;
  return {
    handle: numberOf(handle) ?? 0,
    isDormant: flags === "dormant" || (Array.isArray(flags) && flags.includes("dormant")),
    counters,
    sets,
    chains,
    hash: (without = new Set()) => {
      const kept = lines.filter(({ name }) => !without.has(name)).map(({ line }) => line);
      const hash = createHash("sha256");
      for (const line of kept.sort()) hash.update(line).update("\n");
      return hash.digest("hex");
    },
  };
}
