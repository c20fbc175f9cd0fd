/**
 * The query language of the explorer, the API and the command line, over the edges of a graph:
 *
 *     query  := and ("or" and)*
 *     and    := unary (["and"] unary)*
 *     unary  := ("not" | "!") unary | "(" query ")" | term | text
 *     term   := facet ("=" | "!=" | "~" | "!~" | ">" | ">=" | "<" | "<=") value ("," value)*
 *     text   := a word or "quoted text": found anywhere in either end, the service or a name
 *
 * Example: `ns=payments port=443,8443 !dst=kube-dns state=would-deny (app~web or bytes>1k)`
 */
export type GraphQuery =
  | { readonly kind: "all" } // the empty query
  | { readonly kind: "and" | "or"; readonly parts: readonly GraphQuery[]; readonly span: QuerySpan }
  | { readonly kind: "not"; readonly part: GraphQuery; readonly span: QuerySpan }
  | QueryTerm
  | { readonly kind: "text"; readonly text: string; readonly span: QuerySpan };

export interface QueryTerm {
  readonly kind: "term";
  readonly facet: string; // lower case; a label facet keeps the case of its key
  readonly operator: QueryOperator;
  readonly values: readonly string[]; // at least one; any of them may hold
  readonly span: QuerySpan;
}

/** Where a part stands in the text: `start` inclusive, `end` exclusive, in UTF-16 units. */
export interface QuerySpan {
  readonly start: number;
  readonly end: number;
}

export const QUERY_OPERATORS = ["!=", "!~", ">=", "<=", "=", "~", ">", "<"] as const; // longest first
export type QueryOperator = (typeof QUERY_OPERATORS)[number];

export type FacetKind = "text" | "number" | "time";

/** Every facet but the open family `label.KEY`, with what it asks. `src.` or `dst.` may stand before an end's facet. */
export const QUERY_FACETS: Readonly<Record<string, { readonly kind: FacetKind; readonly about: string }>> = {
  ns: { kind: "text", about: "namespace of either end" },
  src: { kind: "text", about: "client, by name or id" },
  dst: { kind: "text", about: "server, by name or id" },
  node: { kind: "text", about: "either end, by name or id" },
  app: { kind: "text", about: "app label of either end" },
  "src.ns": { kind: "text", about: "namespace of the client" },
  "dst.ns": { kind: "text", about: "namespace of the server" },
  "src.app": { kind: "text", about: "app label of the client" },
  "dst.app": { kind: "text", about: "app label of the server" },
  kind: { kind: "text", about: "workload, app, namespace, or group of addresses; either end" },
  "src.kind": { kind: "text", about: "the same of the client" },
  "dst.kind": { kind: "text", about: "the same of the server" },
  state: { kind: "text", about: "what the proposal says" },
  port: { kind: "number", about: "server port, or a range such as 8000-8099" },
  proto: { kind: "text", about: "protocol" },
  name: { kind: "text", about: "server name seen in DNS, TLS or HTTP" },
  rule: { kind: "text", about: "id of a rule that permits it" },
  observer: { kind: "text", about: "collector that saw it" },
  bytes: { kind: "number", about: "bytes of both directions; 10k, 5M, 1G" },
  packets: { kind: "number", about: "packets of both directions" },
  flows: { kind: "number", about: "flows of every outcome" },
  failed: { kind: "number", about: "flows refused or unanswered" },
  windows: { kind: "number", about: "hours with at least one flow" },
  first: { kind: "time", about: "first seen, RFC 3339" },
  last: { kind: "time", about: "last seen, RFC 3339" },
};

const LABEL_FACET = /^(?:(src|dst)\.)?label\.(.+)$/;

/** What may be compared with `facet`, or `undefined` when there is no such facet. */
export function facetKind(facet: string): FacetKind | undefined {
  if (Object.hasOwn(QUERY_FACETS, facet)) return QUERY_FACETS[facet]?.kind;
  return LABEL_FACET.test(facet) ? "text" : undefined;
}

/** The end and the key that a label facet such as `src.label.tier` asks about. */
export function labelFacet(facet: string): { end: "src" | "dst" | "either"; key: string } | undefined {
  const match = LABEL_FACET.exec(facet);
  if (match === null) return undefined;
  return { end: (match[1] as "src" | "dst" | undefined) ?? "either", key: match[2] as string };
}

/** A query that cannot be read; `span` is the token to point at. */
export class GraphQueryError extends SyntaxError {
  constructor(
    message: string,
    readonly span: QuerySpan,
  ) {
    super(message);
    this.name = "GraphQueryError";
  }
}

const LENGTH_LIMIT = 4000;
const DEPTH_LIMIT = 50; // keeps hostile nesting away from the stack

const FACET_BEFORE_OPERATOR = /([A-Za-z][\w./-]*)(!=|!~|>=|<=|=|~|>|<)/y;
const BARE_VALUE = /[^\s()",]+/y;
const BARE_TEXT = /[^\s()"]+/y;
const NUMBER = /^(\d+(?:\.\d+)?)([kMG]?)$/;
const PORT_SPAN = /^(\d{1,5})-(\d{1,5})$/;

/** Reads `10k` as 10000 (k, M, G are powers of 1000); `undefined` when `text` is no number. */
export function queryNumber(text: string): number | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const unit = { "": 1, k: 1e3, M: 1e6, G: 1e9 }[match[2] as "" | "k" | "M" | "G"];
  return Number(match[1]) * unit;
}

/** Reads `8000-8099` as a pair; `undefined` when `text` is none. */
export function queryPortSpan(text: string): readonly [number, number] | undefined {
  const match = PORT_SPAN.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

class QueryReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string) {}

  read(): GraphQuery {
    if (this.source.length > LENGTH_LIMIT) {
      this.fail(`wanted at most ${LENGTH_LIMIT} characters`, { start: LENGTH_LIMIT, end: this.source.length });
    }
    this.skipSpace();
    if (this.at === this.source.length) return { kind: "all" };
    const query = this.readOr();
    if (this.at < this.source.length) this.fail("wanted no closing parenthesis here", this.here(1));
    return query;
  }

  private readOr(): GraphQuery {
    return this.readChain("or", () => this.readAnd());
  }

  private readAnd(): GraphQuery {
    return this.readChain("and", () => this.readUnary());
  }

  private readChain(kind: "and" | "or", readPart: () => GraphQuery): GraphQuery {
    const start = this.at;
    const parts = [readPart()];
    for (;;) {
      const end = this.at;
      this.skipSpace();
      const isNamed = this.takeKeyword(kind);
      if (!isNamed && (kind === "or" || this.atEnd() || this.peekKeyword("or"))) {
        const [only] = parts;
        return parts.length === 1 && only !== undefined ? only : { kind, parts, span: { start, end } };
      }
      parts.push(readPart());
    }
  }

  private readUnary(): GraphQuery {
    this.skipSpace();
    const start = this.at;
    if (this.source[start] === "!" || this.peekKeyword("not")) {
      if (this.source[start] === "!") this.at++;
      else this.takeKeyword("not");
      const part = this.deeper(() => this.readUnary());
      return { kind: "not", part, span: { start, end: this.at } };
    }
    if (this.source[start] === "(") {
      this.at++;
      const inner = this.deeper(() => this.readOr());
      this.skipSpace();
      if (this.source[this.at] !== ")")
        this.fail("wanted a closing parenthesis for this one", { start, end: start + 1 });
      this.at++;
      return inner;
    }
    return this.readTerm();
  }

  private readTerm(): GraphQuery {
    const start = this.at;
    if (this.atEnd()) this.fail("wanted a condition such as port=443 here", this.here(0));
    if (this.peekKeyword("or") || this.peekKeyword("and"))
      this.fail("wanted a condition before this word", this.here(3));
    FACET_BEFORE_OPERATOR.lastIndex = start;
    const match = FACET_BEFORE_OPERATOR.exec(this.source);
    if (match === null) {
      const text = this.source[start] === '"' ? this.readQuoted() : this.readBare(BARE_TEXT);
      return { kind: "text", text, span: { start, end: this.at } };
    }
    const written = match[1] as string;
    const facet = /label\./i.test(written) ? written : written.toLowerCase();
    const operator = match[2] as QueryOperator;
    const facetSpan = { start, end: start + written.length };
    const kind = facetKind(facet);
    if (kind === undefined) {
      this.fail(`wanted one of ${Object.keys(QUERY_FACETS).join(", ")} or label.KEY`, facetSpan);
    }
    if (kind === "text" && /[<>]/.test(operator))
      this.fail(`"${facet}" is text: wanted =, !=, ~ or !~`, this.opSpan(match));
    if (kind !== "text" && /~/.test(operator))
      this.fail(`"${facet}" is no text: wanted =, !=, >, >=, < or <=`, this.opSpan(match));
    this.at = FACET_BEFORE_OPERATOR.lastIndex;
    const values = [this.readValue(facet, kind, operator)];
    while (this.source[this.at] === ",") {
      this.at++;
      values.push(this.readValue(facet, kind, operator));
    }
    return { kind: "term", facet, operator, values, span: { start, end: this.at } };
  }

  private readValue(facet: string, kind: FacetKind, operator: QueryOperator): string {
    const start = this.at;
    if (start === this.source.length || /[\s(),]/.test(this.source[start] as string)) {
      this.fail(`wanted a value for "${facet}"`, { start, end: Math.min(start + 1, this.source.length) });
    }
    const value = this.source[start] === '"' ? this.readQuoted() : this.readBare(BARE_VALUE);
    const span = { start, end: this.at };
    if (kind === "number" && queryNumber(value) === undefined) {
      const isPortSpan = facet === "port" && /^!?=$/.test(operator) && queryPortSpan(value) !== undefined;
      if (!isPortSpan) this.fail(`"${facet}" wanted a number such as 443 or 10k`, span);
    }
    if (kind === "time" && Number.isNaN(Date.parse(value))) {
      this.fail(`"${facet}" wanted a time such as 2026-01-31T08:00:00Z`, span);
    }
    return value;
  }

  private readBare(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.source);
    if (match === null) this.fail("wanted a word or a condition such as port=443", this.here(1));
    this.at = pattern.lastIndex;
    return match[0];
  }

  private readQuoted(): string {
    const start = this.at;
    let text = "";
    for (let at = start + 1; at < this.source.length; at++) {
      const char = this.source[at] as string;
      if (char === '"') {
        this.at = at + 1;
        return text;
      }
      if (char === "\\" && at + 1 < this.source.length) at++;
      text += this.source[at];
    }
    return this.fail("wanted a closing quotation mark for this one", { start, end: start + 1 });
  }

  private peekKeyword(word: string): boolean {
    const next = this.source.slice(this.at, this.at + word.length);
    return (
      next.toLowerCase() === word &&
      /^(?:$|[\s()"])/.test(this.source.slice(this.at + word.length, this.at + word.length + 1))
    );
  }

  private takeKeyword(word: string): boolean {
    if (!this.peekKeyword(word)) return false;
    this.at += word.length;
    this.skipSpace();
    return true;
  }

  private deeper<T>(read: () => T): T {
    if (++this.depth > DEPTH_LIMIT) this.fail(`wanted at most ${DEPTH_LIMIT} levels`, this.here(1));
    const result = read();
    this.depth--;
    return result;
  }

  private atEnd(): boolean {
    return this.at >= this.source.length || this.source[this.at] === ")";
  }

  private skipSpace(): void {
    while (this.at < this.source.length && /\s/.test(this.source[this.at] as string)) this.at++;
  }

  private here(length: number): QuerySpan {
    return { start: this.at, end: Math.min(this.at + length, this.source.length) };
  }

  private opSpan(match: RegExpExecArray): QuerySpan {
    const start = match.index + (match[1] as string).length;
    return { start, end: start + (match[2] as string).length };
  }

  private fail(wanted: string, span: QuerySpan): never {
    const token = this.source.slice(span.start, Math.min(span.end, span.start + 40));
    throw new GraphQueryError(
      token === "" ? `Cannot read the query at its end: ${wanted}` : `Cannot read the query at "${token}": ${wanted}`,
      span,
    );
  }
}

/** @throws {GraphQueryError} With the span of the token that cannot be read. */
export function parseGraphQuery(text: string): GraphQuery {
  return new QueryReader(text).read();
}

function formatValue(value: string): string {
  return /^[^\s()",!]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

function formatText(text: string): string {
  FACET_BEFORE_OPERATOR.lastIndex = 0;
  const isPlain = /^[^\s()"!]+$/.test(text) && !FACET_BEFORE_OPERATOR.test(text) && !/^(?:and|or|not)$/i.test(text);
  return isPlain ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Text that parses to an equal query; parentheses only where they are needed. */
export function formatGraphQuery(query: GraphQuery): string {
  switch (query.kind) {
    case "all":
      return "";
    case "and":
      return query.parts.map((part) => parenthesised(part, part.kind === "or" || part.kind === "and")).join(" ");
    case "or":
      return query.parts.map((part) => parenthesised(part, part.kind === "or")).join(" or ");
    case "not":
      return `!${parenthesised(query.part, query.part.kind === "and" || query.part.kind === "or")}`;
    case "term":
      return `${query.facet}${query.operator}${query.values.map(formatValue).join(",")}`;
    case "text":
      return formatText(query.text);
  }
}

function parenthesised(part: GraphQuery, isNeeded: boolean): string {
  return isNeeded ? `(${formatGraphQuery(part)})` : formatGraphQuery(part);
}

/** The parts that must all hold, for showing each as a chip that can be taken away. */
export function conjuncts(query: GraphQuery): readonly GraphQuery[] {
  if (query.kind === "all") return [];
  return query.kind === "and" ? query.parts : [query];
}
