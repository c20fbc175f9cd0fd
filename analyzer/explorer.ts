import type { Graph, GraphEdge, GraphLevel } from "../model/graph.js";
import type { SensorHeartbeat } from "../model/sensor-heartbeat.js";
import type { Inventory } from "../model/workload.js";
import type { FlowSample } from "../policy/allow-rule.js";
import type { AuditReport } from "./audit/audit-report.js";
import type { Proposal } from "./proposal.js";

/** Flow counts per slice of time, for the brush under the map. */
export interface TimelineSlice {
  readonly startUs: number;
  readonly widthUs: number;
  readonly answered: number;
  readonly failed: number; // refused and unanswered
}

/** A collector as the analyzer knows it from its batches. What it says of itself is its heartbeat. */
export interface SensorStatus {
  readonly collector: string;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly batches: number;
  readonly flows: number;
  readonly dropped: number | "unknown";
  /** How its clock differs from those of others, by the flows that both saw begin; absent where there are none. */
  readonly clocks?: readonly {
    readonly other: string;
    readonly aheadUs: number; // negative where it is behind
    readonly flows: number;
  }[];
}

export interface EdgeDetail {
  readonly edge: GraphEdge;
  readonly samples: readonly FlowSample[]; // at most 10, earliest first
  readonly windows: readonly { readonly startUs: number; readonly answered: number; readonly failed: number }[];
}

/** Absolute, inclusive of `fromUs`, exclusive of `untilUs`; both absent means all that is stored. */
export interface TimeSpan {
  readonly fromUs?: number;
  readonly untilUs?: number;
}

/**
 * What the explorer and the reports ask of an analyzer. Answers are complete and sorted; bounding them for a screen is
 * the caller's business. `revision` grows with every change of the data, so that equal revisions mean equal answers.
 */
export interface ExplorerSource {
  revision(): number;
  onChange(listener: (revision: number) => void): () => void; // returns the way to stop listening
  graph(level: GraphLevel, span: TimeSpan): Promise<Graph>;
  edge(level: GraphLevel, edgeId: string, span: TimeSpan): Promise<EdgeDetail | undefined>;
  timeline(slices: number): Promise<readonly TimelineSlice[]>;
  sensors(): Promise<readonly SensorStatus[]>;
  /** The newest word of every sensor about itself, by sensor. They come all the time and are no change of the data. */
  heartbeats(): Promise<readonly SensorHeartbeat[]>;
  proposal(): Promise<Proposal>;
  inventory(): Inventory;
  /** What was enforced in the span, by the time of receipt. */
  audit(span: Required<TimeSpan>): Promise<{ readonly report: AuditReport }>;
}
