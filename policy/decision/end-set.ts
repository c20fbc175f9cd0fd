import type { WorkloadSelector } from "../peer.js";

/**
 * A set of ends of traffic: workloads and addresses, as policies describe them. The algebra is small on purpose; every
 * format's notion of a peer is written in it, and only `end-sets.ts` gives it a meaning.
 */
export type EndSet =
  /** Every workload and every other address. */
  | { readonly kind: "all" }
  /** The workloads that a label query selects. */
  | { readonly kind: "selected"; readonly selector: WorkloadSelector }
  /** Workloads by id, where a format's own way to select them is richer than a label query. */
  | { readonly kind: "listed"; readonly workloads: readonly string[] }
  /**
   * Addresses. Planes differ on whether a workload counts when its address lies inside: `anyone` says it does,
   * `outsiders` wants addresses without a workload only.
   */
  | { readonly kind: "addresses"; readonly cidrs: readonly string[]; readonly of: "anyone" | "outsiders" }
  | { readonly kind: "not"; readonly set: EndSet }
  | { readonly kind: "and"; readonly sets: readonly EndSet[] }
  | { readonly kind: "or"; readonly sets: readonly EndSet[] };

export const ALL_ENDS: EndSet = { kind: "all" };
export const NO_ENDS: EndSet = { kind: "or", sets: [] };

/** The union, without a wrapper where there is only one. */
export function anyOf(sets: readonly EndSet[]): EndSet {
  return sets.length === 1 ? (sets[0] as EndSet) : { kind: "or", sets };
}

/** The intersection, without a wrapper where there is only one. */
export function allOf(sets: readonly EndSet[]): EndSet {
  return sets.length === 1 ? (sets[0] as EndSet) : { kind: "and", sets };
}
