import { createHash } from "node:crypto";
import { TABLE } from "../policy/formats/nftables/nft-text.js";
import { type KernelListing, OWNER_CHAIN } from "./kernel-listing.js";

/**
 * What an enforcer writes into its own table about it, as comments of rules that no packet meets, so that it can be read
 * after a restart:
 *
 *     portolan 1 ab12...          version of this record, and whose table it is
 *     wanted 34cd...              what was loaded last
 *     kernel 56ef...              how the kernel listed it then
 *     scope shop g7 r2 78ab...    which generation is asked, and what it holds
 *     loading                     a load was begun and not finished
 */
export interface OwnerRecord {
  readonly owner: string;
  readonly wanted: string;
  readonly kernel: string;
  readonly structure: string;
  readonly scopes: readonly ScopeRecord[];
}

export interface ScopeRecord {
  readonly scope: string;
  readonly generation: number;
  readonly revision: number;
  readonly hash: string;
}

const VERSION = "portolan 1";

/** Whose table it is: an id may be longer than a comment, and hold what nft would read. */
export function ownerOf(host: string): string {
  return createHash("sha256").update(host).digest("hex").slice(0, 32);
}

function chainText(comments: readonly string[]): string {
  const rules = comments.map((comment) => `add rule ${TABLE} ${OWNER_CHAIN} accept comment "${comment}"`);
  return `${[`add chain ${TABLE} ${OWNER_CHAIN}`, `flush chain ${TABLE} ${OWNER_CHAIN}`, ...rules].join("\n")}\n`;
}

export function recordText(record: OwnerRecord): string {
  return chainText([
    `${VERSION} ${record.owner}`,
    `wanted ${record.wanted}`,
    `kernel ${record.kernel}`,
    `structure ${record.structure}`,
    ...record.scopes.map(
      ({ scope, generation, revision, hash }) => `scope ${scope} g${generation} r${revision} ${hash.slice(0, 32)}`,
    ),
  ]);
}

/** From now on, until a record is written, the table is in the making. */
export function loadingText(owner: string): string {
  return chainText([`${VERSION} ${owner}`, "loading"]);
}

export type OwnerReading =
  | { readonly kind: "none" }
  | { readonly kind: "loading"; readonly owner: string }
  | { readonly kind: "loaded"; readonly record: OwnerRecord };

export function readRecord({ chains }: KernelListing): OwnerReading {
  const comments = (chains.get(OWNER_CHAIN) ?? []).map(({ comment }) => comment);
  const after = (word: string) =>
    comments.find((comment) => comment.startsWith(`${word} `))?.slice(word.length + 1) ?? "";
  const owner = after(VERSION);
  if (owner === "") return { kind: "none" };
  const [wanted, kernel, structure] = [after("wanted"), after("kernel"), after("structure")];
  if (comments.includes("loading") || wanted === "" || kernel === "") return { kind: "loading", owner };
  const scopes = comments.flatMap((comment): ScopeRecord[] => {
    const match = /^scope (\S+) g(\d+) r(\d+) ([0-9a-f]+)$/.exec(comment);
    if (match === null) return [];
    const [, scope, generation, revision, hash] = match as unknown as [string, string, string, string, string];
    return [{ scope, generation: Number(generation), revision: Number(revision), hash }];
  });
  return { kind: "loaded", record: { owner, wanted, kernel, structure, scopes } };
}
