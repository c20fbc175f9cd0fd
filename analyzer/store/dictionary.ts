import type { DuckDBConnection } from "@duckdb/node-api";

export type DictionaryTable = "addresses" | "identities" | "scopes" | "names" | "collectors";

/** Texts numbered 0, 1, 2 ... in the order they came; new ones are written with the rows that use them. */
export class Dictionary {
  readonly texts: string[] = [];
  private readonly numbers = new Map<string, number>();
  private stored = 0;

  constructor(private readonly table: DictionaryTable) {}

  numberOf(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.push(text) - 1;
    this.numbers.set(text, number);
    return number;
  }

  has(text: string): boolean {
    return this.numbers.has(text);
  }

  async load(connection: DuckDBConnection): Promise<void> {
    const reader = await connection.runAndReadAll(`SELECT text FROM ${this.table} ORDER BY id`);
    for (const [text] of reader.getRowsJS()) this.numberOf(String(text));
    this.stored = this.texts.length;
  }

  /** Writes what is new, inside the caller's transaction. */
  async write(connection: DuckDBConnection): Promise<void> {
    if (this.stored === this.texts.length) return;
    const appender = await connection.createAppender(this.table);
    try {
      for (let id = this.stored; id < this.texts.length; id++) {
        appender.appendUInteger(id);
        appender.appendVarchar(this.texts[id] as string);
        appender.endRow();
      }
    } finally {
      appender.closeSync();
    }
    this.stored = this.texts.length;
  }
}
