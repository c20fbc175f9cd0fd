import { formatSelector, type LabelSelector } from "../../model/label-selector.js";

const LONGEST = 52; // with a prefix and a hash it stays below the 63 of a label

/** Letters, digits and single dashes, at most 52 of them. */
export function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, LONGEST);
  return plain.replace(/-+$/, "");
}

/** FNV-1a over UTF-16 code units, 32 bits in hex: tells names apart, protects nothing. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

/**
 * A name that a reader recognises and that stays the same while the selector does: the wanted label values, and a
 * hash where these alone do not tell the whole selector.
 */
export function nameOfSelector(selector: LabelSelector, extra: readonly string[] = []): string {
  const values = selector.requirements.flatMap((requirement) =>
    requirement.operator === "In" && requirement.values.length === 1 ? requirement.values : [],
  );
  const isWhole = values.length === selector.requirements.length && extra.length === 0;
  const plain = slug(values.join("-"));
  if (selector.requirements.length === 0 && extra.length === 0) return "all-pods";
  const isUnchanged = plain === values.join("-");
  if (isWhole && isUnchanged && plain !== "" && plain !== "all-pods") return plain;
  return `${plain === "" ? "pods" : plain}-${shortHash(`${formatSelector(selector)} ${extra.join(" ")}`)}`;
}

/** Names for objects of one namespace: those that would meet get a hash of what they select. */
export function uniqueNames<T>(
  objects: readonly T[],
  nameOf: (object: T) => string,
  keyOf: (object: T) => string,
): Map<T, string> {
  const count = new Map<string, number>();
  for (const object of objects) count.set(nameOf(object), (count.get(nameOf(object)) ?? 0) + 1);
  return new Map(
    objects.map((object) => {
      const name = nameOf(object);
      return [object, count.get(name) === 1 ? name : `${name}-${shortHash(keyOf(object))}`];
    }),
  );
}
