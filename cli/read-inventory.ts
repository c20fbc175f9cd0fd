import { parseInventory } from "../model/inventory-file.js";
import { EMPTY_INVENTORY, type Inventory } from "../model/workload.js";
import { readText } from "./read-text.js";

/** The inventory in `path`, or the empty one where the user named none: then every address is a group's. */
export function readInventory(path: string | undefined): Inventory {
  return path === undefined ? EMPTY_INVENTORY : parseInventory(readText("inventory", path), path);
}
