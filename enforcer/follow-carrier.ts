import { randomUUID } from "node:crypto";
import { InventoryState } from "../model/inventory-message.js";
import type { Carrier, Subscription } from "../stream/carrier.js";
import type { HostEnforcer } from "./host-enforcer.js";

/** Key of the stage orders of a scope on `portolan.policies`, beside the scope's own. */
export const STAGE_SUFFIX = "/stage";

export interface FollowOptions {
  /** Whether the inventory comes from the carrier too; a host may have a file of its own instead. */
  readonly withInventory: boolean;
  readonly say: (text: string) => void;
}

/** Several entries that come together are one inventory. */
const SETTLE_MS = 100;

/**
 * Takes orders and inventory as the carrier delivers them. The carrier is not trusted: an order is what its signatures
 * say, and a policy that is taken back there (a tombstone) stays in force here.
 */
export async function followCarrier(
  carrier: Carrier,
  enforcer: HostEnforcer,
  { withInventory, say }: FollowOptions,
): Promise<Subscription> {
  const policies = await carrier.subscribe("portolan.policies", {
    positions: async () => new Map(),
    async handle({ key, value }) {
      if (value.length === 0) return;
      const isStage = key.endsWith(STAGE_SUFFIX);
      const scope = isStage ? key.slice(0, -STAGE_SUFFIX.length) : key;
      // A message that is an error of ours today would be one tomorrow: it is told, and the next one is read.
      const answer = isStage ? enforcer.stage(value, scope) : enforcer.offer(value, scope);
      await answer.then(({ text }) => say(text)).catch((error: Error) => say(error.message));
    },
  });
  const inventory = withInventory ? await followInventory(carrier, enforcer, say) : undefined;
  return {
    async close() {
      await Promise.all([policies.close(), inventory?.close()]);
    },
  };
}

/** The whole of what the topic says, and from then on each change: half an inventory would take permits away. */
async function followInventory(
  carrier: Carrier,
  enforcer: HostEnforcer,
  say: (text: string) => void,
): Promise<Subscription> {
  const state = new InventoryState();
  const mark = `@mark/${randomUUID()}`;
  let isCaughtUp = false;
  let timer: NodeJS.Timeout | undefined;
  const take = async () => {
    const inventory = state.inventory();
    if (inventory.workloads.length > 0) say((await enforcer.setInventory(inventory, "carrier")).text);
  };
  const subscription = await carrier.subscribe("portolan.inventory", {
    positions: async () => new Map(),
    async handle({ key, value }) {
      try {
        state.apply({ key, value });
      } catch (error) {
        say((error as Error).message);
      }
      isCaughtUp ||= key === mark;
      if (!isCaughtUp) return;
      clearTimeout(timer);
      // Entries that contradict each other now may be whole with the next one.
      timer = setTimeout(() => void take().catch((error: Error) => say(error.message)), SETTLE_MS);
    },
  });
  await carrier.send("portolan.inventory", { key: mark, value: new Uint8Array(0), headers: {} });
  return {
    async close() {
      clearTimeout(timer);
      await subscription.close();
    },
  };
}
