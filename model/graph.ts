import type { OutcomeCounts } from "./conversation.js";
import type { Labels } from "./label-selector.js";

export const GRAPH_VERSION = 1;

/** What a node of the graph stands for, finest first. `group` is addresses without a workload. */
export type GraphLevel = "workload" | "app" | "namespace";
export type NodeKind = GraphLevel | "group";

export interface GraphNode {
  readonly id: string; // "workload:shop/web-1", "app:shop/web", "namespace:shop", "group:external"
  readonly kind: NodeKind;
  readonly label: string;
  readonly namespace?: string; // absent for groups
  readonly labels: Labels; // those that all members share
  readonly members: readonly string[]; // workload ids, or addresses of a group; sorted, at most 200
  readonly memberCount: number;
}

/** What the current proposal says of an edge. */
export type EdgeState =
  | "allowed" // a proposed rule permits it
  | "excluded" // noise: unanswered, refused, scanning
  | "quarantined" // seen, but a person must decide: one-off admin port
  | "undecided"; // direction unknown or not enough data

export interface GraphEdge {
  readonly id: string; // "client>server/protocol/port"
  readonly client: string; // node id
  readonly server: string;
  readonly protocol: string; // see formatProtocol
  readonly port: number; // ICMP type for ICMP
  readonly flows: OutcomeCounts;
  readonly clientPackets: number;
  readonly serverPackets: number;
  readonly clientBytes: number;
  readonly serverBytes: number;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly windows: number; // hours with at least one flow
  readonly observers: readonly string[];
  readonly names: readonly string[];
  readonly state: EdgeState;
  readonly reason: string; // one sentence behind the state
  readonly rules: readonly string[]; // ids of the rules that permit it
}

/** The connectivity graph at one level; nodes and edges sorted by id, so equal input gives equal bytes. */
export interface Graph {
  readonly version: typeof GRAPH_VERSION;
  readonly level: GraphLevel;
  readonly fromUs: number; // first packet
  readonly untilUs: number; // last packet
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}
