import { statSync } from "node:fs";
import type { IntakeFigures } from "../../analyzer/ingest/intake-totals.js";
import type { DeadLetterCounts } from "../../stream/dead-letters.js";
import type { Condition } from "../../web/api/probes.js";
import { failureLines } from "../failure.js";
import { counter, gauge, type Measured, measured } from "./family.js";

const NAME = {
  revision: gauge("portolan_analyzer_revision", "State of the data that is shown; grows with every change"),
  batches: counter("portolan_analyzer_batches_total", "Batches that were stored"),
  duplicates: counter("portolan_analyzer_batches_duplicate_total", "Batches left out, since they were stored before"),
  flows: counter("portolan_analyzer_flows_total", "Flow records that were stored"),
  malformed: counter("portolan_analyzer_records_malformed_total", "Flow records left out, since they make no sense"),
  writes: counter("portolan_analyzer_writes_total", "Transactions of the store"),
  lag: gauge(
    "portolan_analyzer_lag_seconds",
    "From the broker taking a message to its rows being stored, newest write",
  ),
  letters: counter("portolan_analyzer_dead_letters_total", "Messages that nobody can read, put aside", ["reason"]),
  writable: gauge("portolan_analyzer_store_writable", "1 while the store takes what comes, 0 while it does not"),
  bytes: gauge("portolan_analyzer_store_bytes", "Size of the store's file with its log"),
};

/** What a running analyzer knows of itself without asking its store. */
export interface AnalyzerView {
  readonly revision: () => number;
  readonly intake: () => IntakeFigures;
  readonly deadLetters: () => DeadLetterCounts;
  readonly storeFault: () => unknown;
  readonly storePath: string;
}

function bytesOf(path: string): number | undefined {
  const sizes = [path, `${path}.wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size);
  return sizes[0] === undefined ? undefined : sizes[0] + (sizes[1] ?? 0);
}

export function analyzerMetrics(view: AnalyzerView): Measured[] {
  return [
    measured(NAME.revision, view.revision),
    measured(NAME.batches, () => view.intake().batches),
    measured(NAME.duplicates, () => view.intake().duplicates),
    measured(NAME.flows, () => view.intake().flows),
    measured(NAME.malformed, () => view.intake().malformed),
    measured(NAME.writes, () => view.intake().writes),
    measured(NAME.lag, () => {
      const { lagMs } = view.intake();
      return lagMs === "unknown" ? lagMs : lagMs / 1000;
    }),
    measured(NAME.letters, () =>
      Object.entries(view.deadLetters().byCode).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    measured(NAME.writable, () => (view.storeFault() === undefined ? 1 : 0)),
    measured(NAME.bytes, () => bytesOf(view.storePath)),
  ];
}

export function storeCondition(fault: unknown): Condition {
  const text = fault === undefined ? "open" : failureLines(fault).join("; ");
  return { name: "store", isMet: fault === undefined, isNeeded: true, text };
}

/** How far behind the log an analyzer may be and still count as caught up. */
const CAUGHT_UP_MS = 10_000;

/** No reason not to answer: what is stored can be read while more is on its way. */
export function caughtUpCondition({ lagMs }: IntakeFigures): Condition {
  const isMet = lagMs === "unknown" ? lagMs : lagMs <= CAUGHT_UP_MS;
  const text = lagMs === "unknown" ? "nothing was read yet" : `${(lagMs / 1000).toFixed(1)} s behind at the last write`;
  return { name: "caught-up", isMet, isNeeded: false, text };
}
