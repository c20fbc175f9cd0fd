import type { Labels } from "../../../model/label-selector.js";

/** Calico's selector language, parsed. An absent label is not equal to anything, so `!=` and `not in` hold for it. */
export type SelectorExpression =
  | { readonly kind: "all" }
  | { readonly kind: "global" }
  | { readonly kind: "has"; readonly key: string }
  | { readonly kind: "in"; readonly key: string; readonly values: readonly string[] }
  | {
      readonly kind: "text";
      readonly key: string;
      readonly where: "contains" | "starts" | "ends";
      readonly text: string;
    }
  | { readonly kind: "not"; readonly inner: SelectorExpression }
  | { readonly kind: "and" | "or"; readonly parts: readonly SelectorExpression[] };

/** One word of the language; quoted texts are told from names by `isText`. */
interface Token {
  readonly text: string;
  readonly isText: boolean;
}

const TOKEN = /\s*(?:"([^"]*)"|'([^']*)'|(&&|\|\||==|!=|[!(){},])|([-a-zA-Z0-9_./]+))/y;

function tokensOf(selector: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const source = selector.trimEnd();
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null)
      throw new SyntaxError(`Cannot parse selector "${selector}": unexpected text at character ${at + 1}`);
    const quoted = match[1] ?? match[2];
    tokens.push({ text: quoted ?? match[3] ?? match[4] ?? "", isText: quoted !== undefined });
  }
  return tokens;
}

/**
 * Recursive descent over
 *
 *     or      = and { "||" and }
 *     and     = not { "&&" not }
 *     not     = "!" not | "(" or ")" | "all()" | "global()" | "has(" key ")" | key test
 *     test    = "==" text | "!=" text | ["not"] "in" "{" [text {"," text}] "}"
 *             | "contains" text | "starts with" text | "ends with" text
 */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(readonly selector: string) {
    this.#tokens = tokensOf(selector);
  }

  #fail(wanted: string): SyntaxError {
    const found = this.#tokens[this.#next]?.text ?? "the end";
    return new SyntaxError(`Cannot parse selector "${this.selector}": wanted ${wanted}, found "${found}"`);
  }

  #accept(text: string): boolean {
    const token = this.#tokens[this.#next];
    if (token === undefined || token.isText || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#fail(`"${text}"`);
  }

  #text(): string {
    const token = this.#tokens[this.#next];
    if (token?.isText !== true) throw this.#fail("a quoted text");
    this.#next++;
    return token.text;
  }

  #key(): string {
    const token = this.#tokens[this.#next];
    if (token === undefined || token.isText || !/^[-a-zA-Z0-9_./]+$/.test(token.text)) throw this.#fail("a label key");
    this.#next++;
    return token.text;
  }

  parse(): SelectorExpression {
    if (this.#tokens.length === 0) return { kind: "all" };
    const expression = this.#or();
    if (this.#next < this.#tokens.length) throw this.#fail("the end");
    return expression;
  }

  #or(): SelectorExpression {
    const parts = [this.#and()];
    while (this.#accept("||")) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : { kind: "or", parts };
  }

  #and(): SelectorExpression {
    const parts = [this.#not()];
    while (this.#accept("&&")) parts.push(this.#not());
    return parts.length === 1 ? parts[0]! : { kind: "and", parts };
  }

  #not(): SelectorExpression {
    if (this.#accept("!")) return { kind: "not", inner: this.#not() };
    if (this.#accept("(")) {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }
    const key = this.#key();
    if (this.#accept("(")) {
      if (key === "has") {
        const label = this.#key();
        this.#expect(")");
        return { kind: "has", key: label };
      }
      this.#expect(")");
      if (key === "all" || key === "global") return { kind: key };
      throw new SyntaxError(
        `Cannot parse selector "${this.selector}": wanted all(), global() or has(key), found "${key}("`,
      );
    }
    return this.#test(key);
  }

  #test(key: string): SelectorExpression {
    if (this.#accept("==")) return { kind: "in", key, values: [this.#text()] };
    if (this.#accept("!=")) return { kind: "not", inner: { kind: "in", key, values: [this.#text()] } };
    if (this.#accept("in")) return { kind: "in", key, values: this.#texts() };
    if (this.#accept("not")) {
      this.#expect("in");
      return { kind: "not", inner: { kind: "in", key, values: this.#texts() } };
    }
    if (this.#accept("contains")) return { kind: "text", key, where: "contains", text: this.#text() };
    for (const where of ["starts", "ends"] as const) {
      if (!this.#accept(where)) continue;
      this.#expect("with");
      return { kind: "text", key, where, text: this.#text() };
    }
    throw this.#fail('"==", "!=", "in", "not in", "contains", "starts with" or "ends with"');
  }

  #texts(): string[] {
    this.#expect("{");
    const texts: string[] = [];
    if (this.#accept("}")) return texts;
    do texts.push(this.#text());
    while (this.#accept(","));
    this.#expect("}");
    return texts;
  }
}

/** @throws {SyntaxError} If the text is not in Calico's selector language. Empty text is `all()`. */
export function parseSelector(text: string): SelectorExpression {
  return new Parser(text).parse();
}

/** What a selector is asked about. */
export interface Labelled {
  readonly labels: Labels;
  readonly isGlobal: boolean; // not in a namespace
}

export function matchesSelector(expression: SelectorExpression, { labels, isGlobal }: Labelled): boolean {
  const of = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  switch (expression.kind) {
    case "all":
      return true;
    case "global":
      return isGlobal;
    case "has":
      return of(expression.key) !== undefined;
    case "in": {
      const value = of(expression.key);
      return value !== undefined && expression.values.includes(value);
    }
    case "text": {
      const value = of(expression.key);
      if (value === undefined) return false;
      if (expression.where === "contains") return value.includes(expression.text);
      return expression.where === "starts" ? value.startsWith(expression.text) : value.endsWith(expression.text);
    }
    case "not":
      return !matchesSelector(expression.inner, { labels, isGlobal });
    case "and":
      return expression.parts.every((part) => matchesSelector(part, { labels, isGlobal }));
    case "or":
      return expression.parts.some((part) => matchesSelector(part, { labels, isGlobal }));
  }
}
