import { parseInventory } from "../model/inventory-file.js";
import type { Inventory } from "../model/workload.js";
import type { PolicySet } from "../policy/policy-set.js";
import { type HeldPolicy, restorePolicy } from "../policy/trust/restore-policy.js";
import type { EnforcerKernel } from "./enforcer-kernel.js";
import { readMemory } from "./enforcer-memory.js";
import type { StateFolder } from "./state-folder.js";
import type { WantedTable } from "./wanted-table.js";

/**
 * What a boot loads before the network is up: orders that held in deny, never one that was on trial. Those that are
 * fail-static deny from the first packet, unless somebody had paused them or taken them back; all others only count.
 */
export async function restoreConfirmed(
  folder: StateFolder,
  kernel: EnforcerKernel,
  render: (policySets: readonly PolicySet[], inventory: Inventory) => WantedTable,
): Promise<{ loaded: string[]; denying: string[] }> {
  const { scopes } = readMemory(folder);
  const held = folder.list("confirmed").map((name): HeldPolicy => restorePolicy(folder.read(`confirmed/${name}`)!));
  if (held.length === 0) return { loaded: [], denying: [] };
  const stored = folder.read("inventory.yaml");
  const inventory =
    stored === undefined ? held.at(-1)!.inventory : parseInventory(stored.toString("utf8"), "inventory.yaml");
  await kernel.load(
    render(
      held.map(({ order }) => order.policySet),
      inventory,
    ),
  );
  const denying = held
    .filter(({ order: { scope, generation, settings } }) => {
      const state = scopes[scope]?.state;
      return settings.onSilence === "fail-static" && state?.phase === "deny" && state.generation === generation;
    })
    .map(({ order }) => order.scope);
  for (const scope of denying) await kernel.lease(scope, "permanent");
  return { loaded: held.map(({ order }) => `${order.scope} generation ${order.generation}`), denying };
}
