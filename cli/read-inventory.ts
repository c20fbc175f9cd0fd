import { parseInventory } from "../model/inventory-file.js";
import type { Inventory } from "../model/workload.js";
import { readText } from "./read-text.js";

export function readInventory(path: string): Inventory {
  return parseInventory(readText("inventory", path), path);
}
