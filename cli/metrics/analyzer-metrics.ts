import { counter, gauge, type Measured, measured } from "./family.js";

const NAME = {
  revision: gauge("portolan_analyzer_revision", "State of the data that is shown; grows with every change"),
  damaged: counter("portolan_analyzer_messages_damaged_total", "Messages passed over: they were no flow batch"),
};

/** What a running analyzer knows of itself without asking its store. */
export interface AnalyzerView {
  readonly revision: () => number;
  readonly damaged: () => number;
}

export function analyzerMetrics(view: AnalyzerView): Measured[] {
  return [measured(NAME.revision, view.revision), measured(NAME.damaged, view.damaged)];
}
