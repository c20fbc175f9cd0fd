import type { Inventory } from "../model/workload.js";
import type { Peer } from "./peer.js";
import type { PolicyMode, PolicySet } from "./policy-set.js";
import type { Service } from "./service.js";

export interface BundleFile {
  readonly path: string; // relative, with "/", never ".." or an absolute path
  readonly text: string;
}

/** Packets that a loss is about, as far as they can be named. */
export interface AffectedPackets {
  readonly client: Peer;
  readonly server: Peer;
  readonly services: readonly Service[];
}

/**
 * What a target cannot say.
 * - `widened`: the files allow more than the policy: a lifeline (always), or a rule whose widening the user accepted.
 * - `dropped`: the files allow or isolate less than the policy says.
 * - `conditional`: the files mean the same if what `text` names holds, and nothing in them can check it.
 */
export interface Loss {
  readonly ruleId: string; // of the rule; `isolation`, `lifeline` or `bundle` where no single rule is meant
  readonly kind: "widened" | "dropped" | "conditional";
  readonly text: string; // one sentence for whoever applies the files
  readonly packets?: readonly AffectedPackets[];
  readonly isRefused?: true; // dropped only because the user did not accept the widening that it takes
}

/** A workload that stays open in one direction because the target cannot isolate it. */
export interface UnenforcedEnd {
  readonly workload: string; // id
  readonly direction: "ingress" | "egress";
}

/** The policy as the files say it: `policySet` after every loss, and the ends that no file isolates. */
export interface ExpressedPolicy {
  readonly policySet: PolicySet;
  readonly unenforced: readonly UnenforcedEnd[]; // sorted by workload, then direction
}

/** What is handed to the user for one target. All lists are sorted. */
export interface Bundle {
  readonly files: readonly BundleFile[];
  readonly losses: readonly Loss[];
  readonly expressed: ExpressedPolicy;
}

export interface RenderOptions {
  /** For every isolation of the set, whatever mode it has in there: the user says how the files are to act. */
  readonly mode: PolicyMode;
  /** Without it a rule that the target cannot say without allowing more is left out, and reported as dropped. */
  readonly acceptWidenings?: boolean;
}

/** Makes the files of one target. Pure: equal input gives equal bytes. */
export type Renderer = (policySet: PolicySet, inventory: Inventory, options: RenderOptions) => Bundle;

const KIND_ORDER: readonly Loss["kind"][] = ["widened", "dropped", "conditional"];

/** Losses by gravity, then rule, then text; what is said twice is told once, with the packets of both. */
export function sortLosses(losses: readonly Loss[]): Loss[] {
  const unique = new Map<string, Loss>();
  for (const loss of losses) {
    const key = `${loss.kind} ${loss.ruleId} ${loss.text}`;
    const same = unique.get(key);
    const packets = [...(same?.packets ?? []), ...(loss.packets ?? [])];
    unique.set(key, { ...loss, ...(packets.length > 0 ? { packets } : {}) });
  }
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...unique.values()].sort(
    (a, b) =>
      KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind) || byText(a.ruleId, b.ruleId) || byText(a.text, b.text),
  );
}

export function sortFiles(files: readonly BundleFile[]): BundleFile[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
