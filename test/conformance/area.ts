/** One thing on which we and the data disagree. */
export interface Disagreement {
  readonly subject: string; // the file, below the data folder
  readonly category: string; // short and stable, for counting
  readonly detail: string;
}

/** A row of an area's table. Rows that say "(uncertain)" compare with results that other programs dispute. */
export interface AreaCount {
  readonly what: string;
  readonly passed: number;
  readonly total: number;
}

export interface AreaResult {
  readonly counts: readonly AreaCount[];
  readonly disagreements: readonly Disagreement[];
}

/** A field in which the project is compared with what other programs computed. */
export interface Area {
  readonly name: string;
  /** `undefined` when `dataDir` has nothing for it. */
  run(dataDir: string): Promise<AreaResult | undefined>;
}

/** Share of an area's undisputed comparisons that must agree. */
export const WANTED_SHARE = 0.98;

/** Whether a row is there to be looked at and not to be held against us. */
export function isForReview(count: AreaCount): boolean {
  return count.what.includes("(uncertain)");
}
