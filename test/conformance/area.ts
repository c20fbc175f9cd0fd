/** One thing on which we and the data disagree. */
export interface Disagreement {
  readonly subject: string; // the file, below the data folder
  readonly category: string; // short and stable, for counting
  readonly detail: string;
}

/** A row of an area's table. */
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
