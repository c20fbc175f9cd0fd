import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import { ManifestError, type Position } from "./manifest-error.js";

/** The file that nodes belong to. */
export interface ManifestSource {
  readonly path: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

/**
 * A value in a YAML or JSON document that knows where it stands, so that whoever reads it can refuse it by file, line and
 * column. `field` is the way to it in words, e.g. `spec.ingress[0].ports`.
 */
export class ManifestNode {
  readonly #node: Node | null;
  readonly #offset: number;
  readonly #keyOffset: number;

  constructor(
    readonly source: ManifestSource,
    node: unknown,
    readonly field: string,
    keyOffset = 0, // of the key, or of the list around; where an absent value is said to stand
  ) {
    const resolved = isAlias(node) ? node.resolve(source.document) : node;
    this.#node = isMap(resolved) || isSeq(resolved) || isScalar(resolved) ? resolved : null;
    this.#keyOffset = keyOffset;
    this.#offset = (node as Node | null)?.range?.[0] ?? keyOffset;
  }

  #at(offset: number): Position {
    const { line, col } = this.source.lines.linePos(offset);
    return { path: this.source.path, line, column: col };
  }

  get position(): Position {
    return this.#at(this.#offset);
  }

  error(complaint: string): ManifestError {
    return new ManifestError(this.position, complaint);
  }

  /** An error that points to the key instead of the value. */
  keyError(complaint: string): ManifestError {
    return new ManifestError(this.#at(this.#keyOffset), complaint);
  }

  /** Whether there is nothing here: an empty value, `null` or `~`. */
  get isNull(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null);
  }

  #wanted(what: string): ManifestError {
    const shown = isScalar(this.#node) ? ` "${String(this.#node.value)}"` : "";
    return this.error(`Cannot read ${this.field === "" ? "document" : this.field}${shown}: wanted ${what}`);
  }

  /** The fields of a mapping; nothing counts as an empty one. Key order as written. */
  fields(): ReadonlyMap<string, ManifestNode> {
    if (this.isNull) return new Map();
    if (!isMap(this.#node)) throw this.#wanted("a mapping");
    const fields = new Map<string, ManifestNode>();
    for (const pair of this.#node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) throw this.#wanted("a mapping with plain keys");
      const key = String(pair.key.value);
      const field = this.field === "" ? key : `${this.field}.${key}`;
      fields.set(key, new ManifestNode(this.source, pair.value, field, pair.key.range?.[0] ?? this.#offset));
    }
    return fields;
  }

  /** The fields of a mapping that may hold nothing but `known` ones. */
  knownFields<K extends string>(known: readonly K[]): Partial<Readonly<Record<K, ManifestNode>>> {
    const fields: Partial<Record<K, ManifestNode>> = {};
    for (const [name, node] of this.fields()) {
      if (!known.includes(name as K)) {
        throw node.keyError(`Cannot read field "${node.field}": wanted one of ${known.join(", ")}`);
      }
      fields[name as K] = node;
    }
    return fields;
  }

  /** One field of a mapping, whatever else it holds. */
  get(name: string): ManifestNode | undefined {
    return this.fields().get(name);
  }

  /** The items of a list; nothing counts as an empty one. */
  items(): readonly ManifestNode[] {
    if (this.isNull) return [];
    if (!isSeq(this.#node)) throw this.#wanted("a list");
    return this.#node.items.map((item, i) => new ManifestNode(this.source, item, `${this.field}[${i}]`, this.#offset));
  }

  get isMapping(): boolean {
    return isMap(this.#node);
  }

  get isText(): boolean {
    return isScalar(this.#node) && typeof this.#node.value === "string";
  }

  text(): string {
    if (!isScalar(this.#node) || typeof this.#node.value !== "string") throw this.#wanted("text");
    return this.#node.value;
  }

  /** One of the given texts. */
  choice<T extends string>(choices: readonly T[]): T {
    const text = this.text();
    if (!choices.includes(text as T)) throw this.#wanted(`one of ${choices.join(", ")}`);
    return text as T;
  }

  boolean(): boolean {
    if (!isScalar(this.#node) || typeof this.#node.value !== "boolean") throw this.#wanted("true or false");
    return this.#node.value;
  }

  number(): number {
    if (!isScalar(this.#node) || typeof this.#node.value !== "number") throw this.#wanted("a number");
    return this.#node.value;
  }

  /** A whole number within limits. */
  integer(least: number, most: number): number {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw this.#wanted(`a whole number ${least}..${most}`);
    }
    return value;
  }

  /** What `parse` makes of the text; its complaint is told with the place. */
  parsed<T>(parse: (text: string) => T): T {
    const text = this.text();
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) throw this.error(error.message);
      throw error;
    }
  }
}
