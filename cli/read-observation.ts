import { existsSync } from "node:fs";
import type { EdgeActivity } from "../analyzer/store/edge-activity.js";
import { Store } from "../analyzer/store/store.js";
import type { Observation } from "../policy/lint/lint.js";
import { EXIT, Failure } from "./failure.js";

/** What a store holds of answered traffic: the workloads, and each conversation once. */
export async function readObservation(path: string): Promise<Observation> {
  if (!existsSync(path)) throw new Failure(`Cannot open store "${path}": there is no such file`, EXIT.input);
  const store = await Store.open({ path });
  try {
    const conversations = new Map<string, EdgeActivity>();
    for (const activity of await store.activity({})) {
      if (activity.flows.answered + activity.flows.midstream === 0) continue;
      conversations.set(`${activity.client} ${activity.server} ${activity.protocol} ${activity.serverPort}`, activity);
    }
    return { inventory: store.inventory, conversations: conversations.values() };
  } finally {
    await store.close();
  }
}
