import { facetKind, QUERY_FACETS } from "./graph-query.js";

/** One way to go on: `text` takes the place of [from, to) in what was typed. */
export interface Completion {
  readonly text: string;
  readonly detail: string; // what it means, or how many edges have it
}

export interface Completions {
  readonly from: number;
  readonly to: number;
  readonly options: readonly Completion[]; // best first
}

/** Values of a text facet with the number of edges that have each; label keys under the facet `label.`. */
export type FacetVocabulary = (facet: string) => readonly { readonly value: string; readonly edges: number }[];

const WORD = /[^\s()]/;
const TERM = /^(!*)([A-Za-z][\w./-]*?)(!=|!~|>=|<=|=|~|>|<)(.*)$/s;
const OPERATOR_OF = { text: "=", number: "=", time: ">" } as const;

function quoted(value: string): string {
  return /^[^\s()",!]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Start of the word that ends at `cursor`; quotation marks hold a word together. */
function wordStart(text: string, cursor: number): number {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < cursor; at++) {
    const char = text[at] as string;
    if (isQuoted && char === "\\") at++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && !WORD.test(char)) start = at + 1;
  }
  return start;
}

function byFit<T extends { readonly value: string; readonly edges: number }>(values: readonly T[], typed: string): T[] {
  const wanted = typed.toLowerCase();
  const fit = (value: string) => {
    const found = value.toLowerCase().indexOf(wanted);
    return found < 0 ? 2 : found === 0 ? 0 : 1;
  };
  return values
    .filter(({ value }) => fit(value) < 2)
    .sort((a, b) => fit(a.value) - fit(b.value) || b.edges - a.edges || (a.value < b.value ? -1 : 1));
}

function facetOptions(typed: string, vocabulary: FacetVocabulary): Completion[] {
  const labels = vocabulary("label.").map(({ value }) => ({ facet: `label.${value}`, about: `label of either end` }));
  const known = Object.entries(QUERY_FACETS).map(([facet, { about }]) => ({ facet, about }));
  const wanted = typed.toLowerCase();
  return [...known, ...labels]
    .filter(({ facet }) => facet.toLowerCase().startsWith(wanted))
    .map(({ facet, about }) => ({ text: `${facet}${OPERATOR_OF[facetKind(facet) ?? "text"]}`, detail: about }));
}

/** What may stand at `cursor` in a query of which the rest is already typed; at most `limit` options. */
export function completeGraphQuery(text: string, cursor: number, vocabulary: FacetVocabulary, limit = 12): Completions {
  const start = wordStart(text, cursor);
  const word = text.slice(start, cursor);
  const term = TERM.exec(word);
  if (term === null) {
    const bangs = /^!*/.exec(word)?.[0].length ?? 0;
    const options = facetOptions(word.slice(bangs), vocabulary);
    return { from: start + bangs, to: cursor, options: options.slice(0, limit) };
  }
  const facet = /label\./i.test(term[2] as string) ? (term[2] as string) : (term[2] as string).toLowerCase();
  const listed = term[4] as string;
  const last = listed.startsWith('"') ? 0 : listed.lastIndexOf(",") + 1;
  const typed = listed.slice(last).replace(/^"|"$/g, "");
  const options = byFit(vocabulary(facet), typed).map(({ value, edges }) => ({
    text: quoted(value),
    detail: edges === 1 ? "1 edge" : `${edges} edges`,
  }));
  return { from: cursor - (listed.length - last), to: cursor, options: options.slice(0, limit) };
}
