import { Analyzer } from "../analyzer/analyzer.js";
import { AddressCensus } from "../analyzer/identity/address-census.js";
import type { Proposal } from "../analyzer/proposal.js";
import { renderReport } from "../analyzer/report/report.js";
import { LARGE_BATCH_ROWS } from "../collector/flow-export.js";
import { type ReadOptions, type ReadTotals, readCaptures } from "../collector/read-captures.js";
import { readObservers } from "../collector/read-observers.js";
import type { Graph } from "../model/graph.js";
import type { Inventory } from "../model/workload.js";
import type { Bundle } from "../policy/bundle.js";
import { progressOn } from "./progress.js";
import { RENDERERS } from "./targets.js";

/** The bundles that every analysis comes with, in the mode that breaks nothing. */
const BUNDLES = ["kubernetes", "nftables"] as const;

/** What is written down of a store. */
export interface Chart {
  readonly graph: Graph; // at workload level
  readonly proposal: Proposal;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly report: string;
}

export interface Journey extends Chart {
  readonly analyzer: Analyzer; // open: the explorer goes on with it; the caller closes it
  readonly totals: ReadTotals;
}

export interface JourneyOptions {
  readonly title: string; // of the report: what was looked at
  /** Without it each private address that spoke is a host of its own. */
  readonly inventory: Inventory | undefined;
  /** Who made each of the files, which are compared then; without it all are one observation. */
  readonly observers?: readonly string[];
  readonly store?: string; // path of the database file; in memory without
}

function share(bytes: number, totalBytes: number | undefined): string {
  return totalBytes === undefined || totalBytes === 0 ? "" : `, ${Math.floor((100 * bytes) / totalBytes)} %`;
}

/**
 * Takes captures through the whole journey: flows, conversations, graph, proposal, bundles, report. Progress goes to
 * stderr. A capture that ends in an error is charted up to there; the error is in `totals.errors`.
 */
export async function chartCaptures(files: readonly string[], options: JourneyOptions): Promise<Journey> {
  const progress = progressOn(process.stderr);
  const analyzer = await Analyzer.open({ path: options.store ?? ":memory:", inventory: options.inventory });
  const census = new AddressCensus();
  try {
    const how: ReadOptions = {
      batchRows: LARGE_BATCH_ROWS,
      onProgress: ({ packets, bytes, totalBytes }) =>
        progress.show(`reading: ${packets.toLocaleString("en")} packets${share(bytes, totalBytes)}`),
    };
    const { observers } = options;
    const batches = observers === undefined ? readCaptures(files, how) : readObservers(files, observers, how);
    let step = await batches.next();
    while (step.done !== true) {
      census.add(step.value);
      await analyzer.ingest(step.value);
      step = await batches.next();
    }
    await analyzer.flush();
    if (options.inventory === undefined && analyzer.inventory().workloads.length === 0) {
      await analyzer.setInventory(census.inventory());
    }
    progress.show("looking for services, roles and rules");
    return { analyzer, totals: step.value, ...(await chartOf(analyzer, options.title)) };
  } catch (error) {
    await analyzer.close();
    throw error;
  } finally {
    progress.end();
  }
}

/** The chart of all that an analyzer has. */
export async function chartOf(analyzer: Analyzer, title: string): Promise<Chart> {
  const inventory = analyzer.inventory();
  const [graph, proposal, sensors] = await Promise.all([
    analyzer.graph("workload", {}),
    analyzer.proposal(),
    analyzer.sensors(),
  ]);
  const bundles = new Map<string, Bundle>();
  for (const name of BUNDLES) {
    const bundle = RENDERERS.get(name)?.(proposal.policySet, inventory, { mode: "audit" });
    if (bundle !== undefined) bundles.set(name, bundle);
  }
  const report = renderReport({ title, graph, proposal, sensors, inventory });
  return { graph, proposal, bundles, report };
}
