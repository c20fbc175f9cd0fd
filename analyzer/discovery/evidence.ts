import type { ConversationKey } from "../../model/conversation.js";
import { HOUR_US } from "../../model/time-window.js";
import type { FlowSample, RuleEvidence } from "../../policy/allow-rule.js";
import type { Admitted } from "./admission.js";
import { endpointNode } from "./endpoint.js";
import type { History } from "./history.js";
import type { Units } from "./units.js";

const SAMPLES = 5;

export interface EvidenceContext {
  readonly units: Units;
  readonly samples: (key: ConversationKey) => readonly FlowSample[];
}

const sortedSet = (texts: Iterable<string>) => [...new Set(texts)].sort();

/** Windows in which the conversation was accepted; one that began before we watched counts wherever it was seen. */
export function activeUnits(history: History): readonly number[] {
  return history.answered > 0 ? history.answeredUnits : history.units;
}

/** Accepted flows; those under way before we watched count if no other was seen. */
export function acceptedFlows(history: History): number {
  return history.answered > 0 ? history.answered : history.midstream;
}

/** Histories of one call to a shared address stand side by side, one per member; the flows are counted once. */
function countedOnce(admitted: readonly Admitted[]): History[] {
  const calls = new Map<string, History>();
  for (const { history } of admitted) {
    const isShared = history.via !== undefined;
    const key = isShared ? `${history.client.key}>${history.via}/${history.protocol}/${history.port}` : history.id;
    if (!calls.has(key)) calls.set(key, history);
  }
  return [...calls.values()];
}

function earliestSamples(histories: readonly History[], context: EvidenceContext): FlowSample[] {
  const early = [...histories]
    .sort((a, b) => a.firstSeenUs - b.firstSeenUs || (a.id < b.id ? -1 : 1))
    .slice(0, SAMPLES);
  const found = new Map<string, FlowSample>();
  for (const key of early.flatMap((history) => history.keys.slice(0, SAMPLES))) {
    for (const sample of context.samples(key)) found.set(JSON.stringify(sample), sample);
  }
  return [...found.entries()]
    .sort(([aText, a], [bText, b]) => a.startUs - b.startUs || (aText < bText ? -1 : 1))
    .slice(0, SAMPLES)
    .map(([, sample]) => sample);
}

export function evidenceOf(admitted: readonly Admitted[], context: EvidenceContext): RuleEvidence {
  const histories = countedOnce(admitted);
  const hours = new Set<number>();
  for (const history of histories) {
    for (const unit of activeUnits(history)) {
      hours.add(Math.floor((context.units.firstStartUs + unit * context.units.widthUs) / HOUR_US));
    }
  }
  return {
    firstSeenUs: Math.min(...histories.map(({ firstSeenUs }) => firstSeenUs)),
    lastSeenUs: Math.max(...histories.map(({ lastSeenUs }) => lastSeenUs)),
    windows: hours.size,
    flows: histories.reduce((sum, history) => sum + acceptedFlows(history), 0),
    clients: sortedSet(admitted.map(({ history }) => endpointNode(history.client))),
    servers: sortedSet(admitted.map(({ history }) => endpointNode(history.server))),
    observers: sortedSet(histories.flatMap(({ observers }) => observers)),
    names: sortedSet(histories.flatMap(({ names }) => names)),
    samples: earliestSamples(histories, context),
  };
}
