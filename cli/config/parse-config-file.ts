import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { type ConfigFile, type ConfigProblem, type Entry, formatPlace, type Place, refusal } from "./config-file.js";
import { COMMON, type Setting, settingsOf, type Verb } from "./settings.js";

const WANTED = { switch: "true or false", text: "one text or number", list: "a list of texts, or one" } as const;

/** A scalar's own text, so that 0010 or 1e3 stay what was written. */
function textOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  const { value, source } = node;
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? (source ?? String(value)) : undefined;
}

function saidBy(node: unknown, kind: Setting["kind"]): Entry["said"] | undefined {
  if (kind === "switch") return isScalar(node) && typeof node.value === "boolean" ? node.value : undefined;
  if (kind === "list" && isSeq(node)) {
    const texts = node.items.map(textOf);
    return texts.every((text) => text !== undefined) ? texts : undefined;
  }
  const text = textOf(node);
  return text === undefined ? undefined : [text];
}

/**
 * Reads portolan.yaml against the options that the verbs have. Everything that is wrong comes in `problems`, by place;
 * what is right is still in the sections.
 */
export function parseConfigFile(source: string, path: string, verbs: readonly Verb[]) {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const found: { readonly offset: number; readonly text: string }[] = [];
  const sections = new Map<string, Map<string, Entry>>();
  const complain = (offset: number, text: string) => found.push({ offset, text });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const offsetOf = (node: unknown, otherwise: number) => (node as Node | null)?.range?.[0] ?? otherwise;
  const resolved = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  const pairsOf = (node: unknown): Pair[] | undefined => {
    const map = resolved(node);
    if (isMap(map)) return map.items;
    if (isAlias(node)) return undefined;
    return map === null || map === undefined || (isScalar(map) && map.value === null) ? [] : undefined;
  };

  const settings = new Map(verbs.map((verb) => [verb.path, settingsOf(verb)]));
  const sectionNames = [COMMON, ...[...settings].filter(([, list]) => list.length > 0).map(([name]) => name)];

  function readSection(name: string, body: unknown, at: number): void {
    const pairs = pairsOf(body);
    if (pairs === undefined) return void complain(offsetOf(body, at), `"${name}": wanted a mapping of options`);
    const own = name === COMMON ? [...settings.values()].flat() : (settings.get(name) ?? []);
    const entries = new Map<string, Entry>();
    sections.set(name, entries);
    for (const pair of pairs) {
      const key = String((pair.key as { value?: unknown } | null)?.value ?? "");
      const keyAt = offsetOf(pair.key, at);
      const meant = own.filter((setting) => setting.key === key);
      if (meant[0] === undefined) {
        const wanted = [...new Set(own.map((setting) => setting.key))].join(", ");
        const whose = name === COMMON ? "an option of some verb" : `an option of portolan ${name}: ${wanted}`;
        complain(keyAt, `"${name}.${key}": unknown setting, wanted ${whose}`);
        continue;
      }
      const value = resolved(pair.value);
      const valueAt = offsetOf(pair.value, keyAt);
      for (const setting of meant) {
        const said = saidBy(value, setting.kind);
        const why = said === undefined ? `wanted ${WANTED[setting.kind]}` : refusal(setting, said);
        if (why !== undefined || said === undefined) {
          const shown = said === undefined || typeof said === "boolean" ? "" : ` ${JSON.stringify(said.join(","))}`;
          complain(valueAt, `"${name}.${key}"${shown}: ${why}`);
          break;
        }
        entries.set(key, { place: placeAt(valueAt), said });
      }
    }
  }

  for (const error of document.errors) complain(error.pos[0], `settings: ${error.message.split("\n")[0]}`);
  if (document.errors.length === 0) {
    const pairs = pairsOf(document.contents);
    if (pairs === undefined) complain(offsetOf(document.contents, 0), "settings: wanted a mapping of sections");
    for (const pair of pairs ?? []) {
      const name = String((pair.key as { value?: unknown } | null)?.value ?? "");
      const at = offsetOf(pair.key, 0);
      if (sectionNames.includes(name)) readSection(name, pair.value, at);
      else complain(at, `"${name}": unknown section, wanted one of ${sectionNames.join(", ")}`);
    }
  }
  const problems = found
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, text }): ConfigProblem => ({ message: `${formatPlace(placeAt(offset))}: Cannot read ${text}` }));
  return { file: { path, sections } satisfies ConfigFile, problems };
}
