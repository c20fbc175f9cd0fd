import type { ConversationKey, ConversationWindow } from "../model/conversation.js";
import { HOUR_US, windowStart } from "../model/time-window.js";
import type { Inventory } from "../model/workload.js";
import type { FlowSample } from "../policy/allow-rule.js";
import { DEFAULT_DISCOVERY_OPTIONS } from "./discovery/options.js";
import type { SensorStatus } from "./explorer.js";
import type { SensorGap } from "./proposal.js";
import type { Store } from "./store/store.js";

/** Everything that the answers of one revision are made from. */
export interface Snapshot {
  readonly conversations: {
    readonly windows: readonly ConversationWindow[];
    readonly samples: (key: ConversationKey) => readonly FlowSample[];
  };
  readonly sensors: readonly SensorStatus[];
  readonly gaps: readonly SensorGap[];
  readonly inventory: Inventory;
}

/**
 * Reads the store. A short capture is read in minutes, because it has no hours to speak of; everything longer in hours,
 * the newest one in minutes.
 */
export async function loadSnapshot(store: Store, inventory: Inventory): Promise<Snapshot> {
  const sensors = await store.sensors();
  const gaps = await store.gaps();
  const seen = sensors.filter(({ flows }) => flows > 0);
  const firstUs = Math.min(...seen.map(({ firstSeenUs }) => firstSeenUs));
  const lastUs = Math.max(...seen.map(({ lastSeenUs }) => lastSeenUs));
  if (seen.length === 0 || lastUs - firstUs < DEFAULT_DISCOVERY_OPTIONS.shortCaptureUs) {
    return { conversations: await store.conversations({}, "minute"), sensors, gaps, inventory };
  }
  const liveHourUs = windowStart(lastUs, HOUR_US);
  const past = await store.conversations({ untilUs: liveHourUs }, "hour");
  const live = await store.conversations({ fromUs: liveHourUs }, "minute");
  const windows = past.windows
    .filter(({ windowStartUs }) => windowStartUs < liveHourUs)
    .concat(live.windows.filter(({ windowStartUs }) => windowStartUs >= liveHourUs));
  const samples = (key: ConversationKey) => [...past.samples(key), ...live.samples(key)];
  return { conversations: { windows, samples }, sensors, gaps, inventory };
}
