import { HOUR_US, windowStart } from "../../model/time-window.js";
import type { Inventory } from "../../model/workload.js";
import type { PolicySet } from "../../policy/policy-set.js";
import type { TimeSpan } from "../explorer.js";
import { Store } from "../store/store.js";
import { Replay, type ReplayResult } from "./replay.js";

/** Hours that are read at a time, so that memory holds a slice of the past and not all of it; whole blocks of the store's. */
const SLICE_US = 5 * 32 * HOUR_US;

/**
 * Replays a policy over the conversations that a store holds.
 * @param inventory who is who; the store's own where absent
 * @throws {StoreError} When the store cannot be opened.
 */
export async function replayStore(
  path: string,
  policySet: PolicySet,
  span: TimeSpan,
  inventory?: Inventory,
  onProgress: (share: number) => void = () => {},
): Promise<ReplayResult> {
  const store = await Store.open({ path });
  try {
    const replay = new Replay(policySet, inventory ?? store.inventory);
    const seen = (await store.sensors()).filter(({ flows }) => flows > 0);
    const firstUs = Math.max(span.fromUs ?? 0, Math.min(...seen.map(({ firstSeenUs }) => firstSeenUs)));
    const untilUs = Math.min(span.untilUs ?? Number.POSITIVE_INFINITY, Math.max(...seen.map((s) => s.lastSeenUs)) + 1);
    for (let fromUs = windowStart(firstUs, HOUR_US); fromUs < untilUs; ) {
      const until = Math.min(windowStart(fromUs, SLICE_US) + SLICE_US, untilUs);
      replay.add(await store.activity({ fromUs, untilUs: until }));
      onProgress((until - firstUs) / (untilUs - firstUs));
      fromUs = until;
    }
    return replay.result();
  } finally {
    await store.close();
  }
}
