import type { HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import { TABLE } from "../policy/formats/nftables/nft-text.js";
import { flipText, generationNames, generationText, structureText } from "../policy/formats/nftables/ruleset-text.js";
import { type KernelListing, OWNER_CHAIN } from "./kernel-listing.js";
import { loadingText, ownerOf, readRecord, recordText, type ScopeRecord } from "./owner-record.js";
import type { WantedScope, WantedTable } from "./wanted-table.js";

/**
 * A load is three transactions of the kernel; whoever is killed between two of them leaves a table that judges either as
 * before or as wanted:
 *
 *     build   new sets and chains, which nothing asks yet        judged: as before
 *     flip    rules that lead to them, all at once               judged: as wanted
 *     reap    what nothing asks any more, and who loaded what    judged: as wanted
 */
export interface LoadPlan {
  readonly build: string;
  readonly flip: string;
  /** Names of all that is to be left. */
  readonly names: ReadonlySet<string>;
  readonly scopes: readonly ScopeRecord[];
}

const GENERATION = /_([a-z0-9-]+)_g(\d+)(?:_r(\d+))?$/;

/** The lowest revision that no set or chain of this generation has yet. */
function freeRevision({ policySet, generation }: HostRuleset, listing: KernelListing | undefined): number {
  const names = listing === undefined ? [] : [...listing.chains.keys(), ...listing.sets.keys()];
  const used = names.flatMap((name) => {
    const [, scope, number, revision] = GENERATION.exec(name) ?? [];
    return scope === policySet && Number(number) === generation ? [Number(revision ?? 0)] : [];
  });
  return used.length === 0 ? 0 : Math.max(...used) + 1;
}

/** A text of ours for a table that is to stay dormant: naming a table without its flag wakes it. */
function whileDormant(text: string): string {
  return text
    .replaceAll(new RegExp(`^add table ${TABLE}$`, "gm"), `add table ${TABLE} { flags dormant; }`)
    .replaceAll(new RegExp(`^table ${TABLE} \\{$`, "gm"), `table ${TABLE} {\n  flags dormant;`);
}

/** What is in force as it is wanted is left alone, unless somebody changed the table. */
function scopeRecord(
  scope: WantedScope,
  listing: KernelListing | undefined,
  kept: readonly ScopeRecord[],
): ScopeRecord & { readonly isKept: boolean } {
  const { policySet, generation } = scope.ruleset;
  const hash = scope.hash.slice(0, 32);
  const known = kept.find((record) => record.scope === policySet && record.generation === generation);
  if (known?.hash === hash) return { ...known, isKept: true };
  return { scope: policySet, generation, revision: freeRevision(scope.ruleset, listing), hash, isKept: false };
}

/** @returns undefined when the kernel holds just what is wanted */
export function planLoad(wanted: WantedTable, listing: KernelListing | undefined): LoadPlan | undefined {
  const reading = listing === undefined ? undefined : readRecord(listing);
  const record = reading?.kind === "loaded" ? reading.record : undefined;
  const isIntact = record !== undefined && listing?.hash() === record.kernel && record.owner === ownerOf(wanted.host);
  if (isIntact && record.wanted === wanted.hash) return undefined;

  const { plan } = wanted;
  const kept = isIntact ? record.scopes : [];
  const records = wanted.scopes.map((scope) => scopeRecord(scope, listing, kept));
  const revisions = new Map(records.map(({ scope, revision }) => [scope, revision]));
  const revisionOf = ({ policySet }: HostRuleset) => revisions.get(policySet) ?? 0;
  const structure = structureText(plan);
  const isStructureKept = isIntact && record.structure === wanted.structure;
  const built = wanted.scopes
    .filter((_, at) => records[at]?.isKept === false)
    .map(({ ruleset }) => generationText(ruleset, revisionOf(ruleset), plan.isPublishing));
  const asIs = listing?.isDormant === true ? whileDormant : (text: string) => text;
  const names = new Set([
    OWNER_CHAIN,
    ...[...structure.matchAll(/^ *(?:add )?(?:set|chain|counter) (?:inet portolan )?(\S+)/gm)].map(([, name]) => name!),
    ...wanted.scopes.flatMap(({ ruleset }) => generationNames(ruleset, revisionOf(ruleset))),
  ]);
  return {
    build: asIs(`add table ${TABLE}\n${loadingText(ownerOf(wanted.host))}${built.join("")}`),
    flip: asIs(`${isStructureKept ? "" : structure}${flipText(plan, revisions)}`),
    names,
    scopes: records.map(({ isKept, ...rest }) => rest),
  };
}

/** What stands in the table and is in no plan. */
export function leftovers(listing: KernelListing, names: ReadonlySet<string>): ReadonlySet<string> {
  const all = [...listing.chains.keys(), ...listing.sets.keys(), ...listing.counters.keys()];
  return new Set(all.filter((name) => !names.has(name)));
}

/** The last transaction: removals in reverse, rules before what they name, and the record of it all. */
export function reapText(wanted: WantedTable, plan: LoadPlan, listing: KernelListing): string {
  const gone = leftovers(listing, plan.names);
  const named = (names: Iterable<string>) => [...names].filter((name) => gone.has(name));
  const chains = named(listing.chains.keys());
  const lines = [
    ...chains.map((name) => `flush chain ${TABLE} ${name}`),
    ...chains.map((name) => `delete chain ${TABLE} ${name}`),
    ...named(listing.sets.keys()).map((name) => `delete set ${TABLE} ${name}`),
    ...named(listing.counters.keys()).map((name) => `delete counter ${TABLE} ${name}`),
  ];
  const record = recordText({
    owner: ownerOf(wanted.host),
    wanted: wanted.hash,
    kernel: listing.hash(gone),
    structure: wanted.structure,
    scopes: plan.scopes,
  });
  return `${lines.map((line) => `${line}\n`).join("")}${record}`;
}
