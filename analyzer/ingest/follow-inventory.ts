import { InventoryState } from "../../model/inventory-message.js";
import type { Inventory } from "../../model/workload.js";
import type { Carrier } from "../../stream/carrier.js";
import { DeadLetters } from "../../stream/dead-letters.js";

/** Entries come one by one; after this long without one they are taken for a whole, in milliseconds. */
const QUIET_MS = 300;
/** Entries that never stop coming are taken over all the same. */
const LONGEST_MS = 5_000;
/** A store that cannot take the inventory now is asked again. */
const RETRY_MS = 2_000;

export interface FollowInventoryOptions {
  /** Told of each message that nobody can read and that has been passed over. */
  readonly say?: (line: string) => void;
  /** Told when an inventory has been put in force. */
  readonly onTaken?: (inventory: Inventory) => void;
  /** Told why entries that contradict each other, or a store, keep the last inventory in force. */
  readonly onProblem?: (error: unknown) => void;
}

export interface FollowedInventory {
  close(): Promise<void>;
}

/**
 * Puts in force what `portolan.inventory` says, read from its beginning and followed. While entries contradict each other the
 * last good inventory stays: the entry that sets it right may be under way. A topic without entries says nothing.
 */
export async function followInventory(
  carrier: Carrier,
  putInForce: (inventory: Inventory) => Promise<void>,
  { say, onTaken = () => {}, onProblem = () => {} }: FollowInventoryOptions = {},
): Promise<FollowedInventory> {
  const letters = new DeadLetters(carrier, say);
  const state = new InventoryState();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let waitingSinceMs: number | undefined;
  let settling: Promise<void> = Promise.resolve();

  async function settle(): Promise<void> {
    waitingSinceMs = undefined;
    try {
      const inventory = state.inventory();
      await putInForce(inventory);
      onTaken(inventory);
    } catch (error) {
      onProblem(error);
      if (!(error instanceof SyntaxError)) settleSoon(RETRY_MS);
    }
  }

  function settleSoon(pauseMs: number): void {
    if (isClosed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      settling = settling.then(settle);
    }, pauseMs);
  }

  const subscription = await carrier.subscribe("portolan.inventory", {
    positions: async () => new Map(),
    async handle(message) {
      const isEntry = await letters.read(message, (entry) => {
        state.apply(entry);
        return true;
      });
      if (isEntry === undefined) return;
      const nowMs = performance.now();
      waitingSinceMs ??= nowMs;
      settleSoon(Math.max(0, Math.min(QUIET_MS, waitingSinceMs + LONGEST_MS - nowMs)));
    },
  });
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await subscription.close();
      await settling;
    },
  };
}
