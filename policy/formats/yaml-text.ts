import { Document, isMap, isSeq, type ParsedNode, type Scalar, visit } from "yaml";

/** What a manifest is made of. Keys keep the order in which they are written. */
export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/** A comment above the value at `path` (keys and list positions from the root). */
export interface YamlComment {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

// YAML 1.1 readers, such as the one in the Kubernetes API server, end a line at U+0085, U+2028 and U+2029 too.
const LINE_BREAKS_AND_CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]+/g;
const LONGEST_COMMENT = 300;

/** One line that is safe behind a `#`, whatever the text was. */
export function commentLine(text: string): string {
  const line = text.replace(LINE_BREAKS_AND_CONTROLS, " ").trim();
  return line.length <= LONGEST_COMMENT ? line : `${line.slice(0, LONGEST_COMMENT - 1)}…`;
}

// Plain scalars that no YAML reader, 1.1 or 1.2, takes for anything but this string.
const PLAIN = /^[A-Za-z][A-Za-z0-9./_-]*$/;
const NOT_A_STRING = /^(y|n|yes|no|on|off|true|false|null|nan|inf|infinity|e[0-9]+)$/i;

// Lines of printable ASCII, none of which begins or ends with a blank: safe and readable as a block.
const SEVERAL_LINES = /^[!-~]([ -~]*[!-~])?(\n[!-~]([ -~]*[!-~])?)+$/;

/** A document with its comments; strings are quoted wherever any reader might see something else in them. */
export function yamlText(value: YamlValue, comments: readonly YamlComment[] = []): string {
  const document = new Document(value, { version: "1.2", aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      const scalar = node as Scalar;
      if (typeof scalar.value !== "string") return;
      const isPlain = PLAIN.test(scalar.value) && !NOT_A_STRING.test(scalar.value);
      const isText = SEVERAL_LINES.test(scalar.value);
      scalar.type = isPlain ? "PLAIN" : isText ? "BLOCK_LITERAL" : "QUOTE_DOUBLE";
    },
  });
  for (const { path, text } of comments) {
    const lines = text.split("\n").map((line) => ` ${commentLine(line)}`);
    if (path.length === 0) {
      document.commentBefore = lines.join("\n");
      continue;
    }
    // A comment above a pair of a mapping belongs to its key, above an item of a list to the item.
    const parent = (path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)) as ParsedNode;
    const last = path.at(-1);
    if (isSeq(parent)) {
      (parent.items[last as number] as Scalar).commentBefore = lines.join("\n");
    } else if (isMap(parent)) {
      const pair = parent.items.find((item) => (item.key as Scalar).value === last);
      if (pair !== undefined) (pair.key as Scalar).commentBefore = lines.join("\n");
    }
  }
  return document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
}
