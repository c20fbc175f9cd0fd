import { NftSyntaxError } from "./nft-table.js";

/** `end` closes a statement: a newline or a semicolon. */
export interface NftToken {
  readonly kind: "word" | "text" | "sign" | "end";
  readonly value: string;
  readonly line: number; // 1-based
}

const TOKEN =
  /(?<end>[\n;])|(?<blank>[ \t\r]+|#[^\n]*|\\\n)|"(?<text>[^"\n]*)"|(?<sign>[{},=!&|()@])|(?<word>[^\s{},;=!&|()@"#]+)/y;

/** @throws {NftSyntaxError} If a text does not end on its line. */
export function tokensOf(source: string): NftToken[] {
  const tokens: NftToken[] = [];
  let line = 1;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(source)?.groups;
    if (groups === undefined) {
      throw new NftSyntaxError(`line ${line}`, source.slice(at, at + 20), "a word, a sign or a closed text");
    }
    if (groups.end !== undefined) tokens.push({ kind: "end", value: groups.end, line });
    else if (groups.text !== undefined) tokens.push({ kind: "text", value: groups.text, line });
    else if (groups.sign !== undefined) tokens.push({ kind: "sign", value: groups.sign, line });
    else if (groups.word !== undefined) tokens.push({ kind: "word", value: groups.word, line });
    if (groups.end === "\n" || groups.blank?.endsWith("\n")) line++;
  }
  return tokens;
}

/** Reads tokens one after the other. */
export class NftReader {
  #at = 0;

  constructor(readonly tokens: readonly NftToken[]) {}

  get where(): string {
    return `line ${(this.tokens[this.#at] ?? this.tokens.at(-1))?.line ?? 1}`;
  }

  get isDone(): boolean {
    return this.#at >= this.tokens.length;
  }

  peek(ahead = 0): NftToken | undefined {
    return this.tokens[this.#at + ahead];
  }

  next(wanted: string): NftToken {
    const token = this.tokens[this.#at];
    if (token === undefined) throw new NftSyntaxError(this.where, "the end", wanted);
    this.#at++;
    return token;
  }

  /** Takes the next token if it is this word or sign. */
  take(value: string): boolean {
    const token = this.tokens[this.#at];
    if (token === undefined || token.kind === "text" || token.value !== value) return false;
    this.#at++;
    return true;
  }

  expect(value: string): void {
    if (!this.take(value)) throw this.unexpected(`"${value}"`);
  }

  word(wanted: string): string {
    const token = this.next(wanted);
    if (token.kind !== "word" && token.kind !== "text")
      throw new NftSyntaxError(`line ${token.line}`, token.value, wanted);
    return token.value;
  }

  skipEnds(): void {
    while (this.tokens[this.#at]?.kind === "end") this.#at++;
  }

  /** Whether the statement is over: at its end, at a closing brace, or at the end of all. */
  get isAtEnd(): boolean {
    const token = this.tokens[this.#at];
    return token === undefined || token.kind === "end" || (token.kind === "sign" && token.value === "}");
  }

  unexpected(wanted: string): NftSyntaxError {
    const value = this.tokens[this.#at]?.value ?? "the end";
    return new NftSyntaxError(this.where, value === "\n" ? "the end of the line" : value, wanted);
  }
}
