import type { Collection } from "../../collector/collection.js";
import type { Condition } from "../../web/api/probes.js";
import { captureCondition } from "./capture-condition.js";
import { collectorMetrics } from "./collector-metrics.js";
import type { Measured } from "./family.js";
import { spoolMetrics } from "./spool-metrics.js";

/** What a collector needs: packets, and somewhere to put them. A broker that is away is what the spool is there for. */
export function collectionConditions(collection: Collection): Condition[] {
  const { fault, batches } = collection.spool();
  const captures = collection.captures().map(({ name, state }) => {
    const condition = captureCondition(state);
    return { ...condition, name: `capture on ${name}` };
  });
  const spool = {
    name: "spool",
    isMet: fault === undefined,
    isNeeded: false,
    text: fault ?? `${batches} batches wait`,
  };
  const broker = collection.isSending();
  return [
    ...captures,
    spool,
    { name: "broker", isMet: broker, isNeeded: false, text: broker ? "takes batches" : "takes no batches" },
  ];
}

export function collectionMetrics(collection: Collection): Measured[] {
  const spool = spoolMetrics({ status: () => collection.spool(), sentFlows: () => collection.sentFlows() });
  const collector = collectorMetrics({
    isCapturing: () => collection.captures().map(({ name, state }) => [name, state?.kind === "capturing"]),
    totals: () => collection.totals(),
    sendFailures: () => collection.sendFailures(),
  });
  return [...collector, ...spool];
}
