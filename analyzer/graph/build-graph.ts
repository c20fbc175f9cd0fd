import type { ConversationWindow } from "../../model/conversation.js";
import { GRAPH_VERSION, type Graph, type GraphEdge, type GraphLevel } from "../../model/graph.js";
import { formatProtocol } from "../../model/protocol.js";
import { HOUR_US, windowStart } from "../../model/time-window.js";
import type { Inventory } from "../../model/workload.js";
import type { Proposal } from "../proposal.js";
import { conversationOf, EdgeJudge, type Judgement, joinJudgements } from "./edge-judge.js";
import { GraphNodes } from "./graph-nodes.js";

/** Names of the server that an edge carries at most, the first in the order of the alphabet. */
const MAX_NAMES = 50;

export interface GraphInput {
  readonly windows: readonly ConversationWindow[]; // in any order
  readonly inventory: Inventory;
  readonly proposal: Proposal;
  readonly level: GraphLevel;
}

interface EdgeDraft {
  readonly client: string;
  readonly server: string;
  readonly protocol: number;
  readonly port: number;
  answered: number;
  refused: number;
  unanswered: number;
  midstream: number;
  clientPackets: number;
  serverPackets: number;
  clientBytes: number;
  serverBytes: number;
  firstSeenUs: number;
  lastSeenUs: number;
  readonly hours: Set<number>;
  readonly observers: Set<string>;
  readonly names: Set<string>;
  readonly conversations: Map<string, ConversationWindow>;
}

/** Id of an edge in the graph. */
export function edgeId(client: string, server: string, protocol: number, port: number): string {
  return `${client}>${server}/${formatProtocol(protocol)}/${port}`;
}

/** Looks up the edge that a window belongs to, for those who go from an edge back to its windows. */
export function edgeNaming(inventory: Inventory, level: GraphLevel): (window: ConversationWindow) => string {
  const nodes = new GraphNodes(inventory, level);
  return (window) => {
    const client = nodes.seen(window.clientIdentity, window.client);
    const server = nodes.seen(window.serverIdentity, window.server);
    return edgeId(client, server, window.protocol, window.serverPort);
  };
}

function add(edge: EdgeDraft, window: ConversationWindow): void {
  edge.answered += window.flows.answered;
  edge.refused += window.flows.refused;
  edge.unanswered += window.flows.unanswered;
  edge.midstream += window.flows.midstream;
  edge.clientPackets += window.clientPackets;
  edge.serverPackets += window.serverPackets;
  edge.clientBytes += window.clientBytes;
  edge.serverBytes += window.serverBytes;
  edge.firstSeenUs = Math.min(edge.firstSeenUs, window.firstSeenUs);
  edge.lastSeenUs = Math.max(edge.lastSeenUs, window.lastSeenUs);
  edge.hours.add(windowStart(window.windowStartUs, HOUR_US));
  for (const observer of window.observers) edge.observers.add(observer);
  for (const name of window.names) edge.names.add(name);
}

function newEdge(client: string, server: string, window: ConversationWindow): EdgeDraft {
  return {
    client,
    server,
    protocol: window.protocol,
    port: window.serverPort,
    answered: 0,
    refused: 0,
    unanswered: 0,
    midstream: 0,
    clientPackets: 0,
    serverPackets: 0,
    clientBytes: 0,
    serverBytes: 0,
    firstSeenUs: Number.POSITIVE_INFINITY,
    lastSeenUs: Number.NEGATIVE_INFINITY,
    hours: new Set(),
    observers: new Set(),
    names: new Set(),
    conversations: new Map(),
  };
}

function finished(edge: EdgeDraft, judgement: Judgement): GraphEdge {
  return {
    id: edgeId(edge.client, edge.server, edge.protocol, edge.port),
    client: edge.client,
    server: edge.server,
    protocol: formatProtocol(edge.protocol),
    port: edge.port,
    flows: {
      answered: edge.answered,
      refused: edge.refused,
      unanswered: edge.unanswered,
      midstream: edge.midstream,
    },
    clientPackets: edge.clientPackets,
    serverPackets: edge.serverPackets,
    clientBytes: edge.clientBytes,
    serverBytes: edge.serverBytes,
    firstSeenUs: edge.firstSeenUs,
    lastSeenUs: edge.lastSeenUs,
    windows: edge.hours.size,
    observers: [...edge.observers].sort(),
    names: [...edge.names].sort().slice(0, MAX_NAMES),
    state: judgement.state,
    reason: judgement.reason,
    rules: judgement.rules,
  };
}

/**
 * The connectivity graph of some windows at one level. A conversation is judged by all of its windows that are given,
 * so that a failed hour of one that works is no noise.
 */
export function buildGraph({ windows, inventory, proposal, level }: GraphInput): Graph {
  const nodes = new GraphNodes(inventory, level);
  const judge = new EdgeJudge(inventory, proposal);
  const edges = new Map<string, EdgeDraft>();
  let fromUs = Number.POSITIVE_INFINITY;
  let untilUs = Number.NEGATIVE_INFINITY;
  for (const window of windows) {
    const client = nodes.seen(window.clientIdentity, window.client);
    const server = nodes.seen(window.serverIdentity, window.server);
    const key = `${client}>${server}/${window.protocol}/${window.serverPort}`;
    let edge = edges.get(key);
    if (edge === undefined) {
      edge = newEdge(client, server, window);
      edges.set(key, edge);
    }
    add(edge, window);
    const conversation = conversationOf(window);
    const known = edge.conversations.get(conversation);
    if (known === undefined || isMoreTelling(window, known)) edge.conversations.set(conversation, window);
    fromUs = Math.min(fromUs, window.firstSeenUs);
    untilUs = Math.max(untilUs, window.lastSeenUs);
  }
  const list = [...edges.values()].map((edge) => {
    const judgements = new Map([...edge.conversations].map(([name, window]) => [name, judge.judge(window)] as const));
    return finished(edge, joinJudgements(judgements));
  });
  return {
    version: GRAPH_VERSION,
    level,
    fromUs: windows.length === 0 ? 0 : fromUs,
    untilUs: windows.length === 0 ? 0 : untilUs,
    nodes: nodes.list(),
    edges: list.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
  };
}

/** Of a conversation's windows, the one whose outcome says most: any answer outweighs all failures. */
function isMoreTelling(window: ConversationWindow, other: ConversationWindow): boolean {
  const rank = ({ flows }: ConversationWindow) =>
    flows.answered > 0 ? 3 : flows.midstream > 0 ? 2 : flows.refused + flows.unanswered > 0 ? 1 : 0;
  return rank(window) > rank(other);
}
