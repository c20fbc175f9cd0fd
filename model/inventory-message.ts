import type { z } from "zod";
import { inventoryConflicts } from "./inventory-conflicts.js";
import { inventoryOf } from "./inventory-file.js";
import { groupRow, lifelinesRow, namespaceRow, sharedRow, workloadRow } from "./inventory-format.js";
import { type InventoryFile, inventoryRowSchemas } from "./inventory-schema.js";
import { encodeDocument, parseDocument } from "./json-document.js";
import type { Inventory } from "./workload.js";

/** Header `schema` of a message on `portolan.inventory`. */
export const INVENTORY_MESSAGE_SCHEMA = "portolan.inventory/1";

/**
 * One entry of the inventory as it travels on `portolan.inventory`: the entry of the inventory file as JSON, with the
 * file's version. An empty value takes the entry back.
 *
 *     <workload id>        workloads[]           @shared/<namespace>/<name>  shared[]
 *     @namespace/<name>    namespaces[]          @lifelines                  lifelines
 *     @group/<name>        groups[]
 */
export interface InventoryMessage {
  readonly key: string;
  readonly value: Uint8Array;
}

type Kind = keyof typeof inventoryRowSchemas;
type Row<K extends Kind> = z.infer<(typeof inventoryRowSchemas)[K]>;

function kindOf(key: string): Kind {
  if (!key.startsWith("@")) return "workloads";
  if (key.startsWith("@namespace/")) return "namespaces";
  if (key.startsWith("@group/")) return "groups";
  if (key.startsWith("@shared/")) return "shared";
  if (key === "@lifelines") return "lifelines";
  throw new SyntaxError(
    `Cannot read inventory entry ${JSON.stringify(key)}: its key is none of a workload's or a known kind`,
  );
}

function keyOf(kind: Kind, row: Partial<Record<string, unknown>>): string {
  switch (kind) {
    case "workloads":
      return String(row.id ?? `${row.namespace}/${row.name}`);
    case "namespaces":
      return `@namespace/${row.name}`;
    case "groups":
      return `@group/${row.name}`;
    case "shared":
      return `@shared/${row.namespace}/${row.name}`;
    case "lifelines":
      return "@lifelines";
  }
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1);

/** An inventory entry by entry, sorted by key; equal inventories give equal bytes. */
export function inventoryMessages(inventory: Inventory): InventoryMessage[] {
  const rows: [Kind, Record<string, unknown>][] = [
    ...inventory.namespaces.map((row): [Kind, Record<string, unknown>] => ["namespaces", namespaceRow(row)]),
    ...inventory.workloads.map((row): [Kind, Record<string, unknown>] => ["workloads", workloadRow(row)]),
    ...inventory.shared.map((row): [Kind, Record<string, unknown>] => ["shared", sharedRow(row)]),
    ...inventory.groups.map((row): [Kind, Record<string, unknown>] => ["groups", groupRow(row)]),
    ["lifelines", lifelinesRow(inventory.lifelines)],
  ];
  return rows
    .map(([kind, row]) => ({ key: keyOf(kind, row), value: encodeDocument({ version: 1, ...row }) }))
    .sort(byKey);
}

const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** What has to be sent so that a topic that says `present` says `wanted`: what goes first, so that its place is free. */
export function inventoryChanges(present: ReadonlyMap<string, Uint8Array>, wanted: Inventory): InventoryMessage[] {
  const messages = inventoryMessages(wanted);
  const keys = new Set(messages.map(({ key }) => key));
  const gone = [...present]
    .filter(([key, value]) => value.length > 0 && !keys.has(key))
    .map(([key]) => ({ key, value: new Uint8Array(0) }))
    .sort(byKey);
  const changed = messages.filter(({ key, value }) => {
    const known = present.get(key);
    return known === undefined || !isSame(known, value);
  });
  return [...gone, ...changed];
}

/** The inventory that messages add up to. */
export class InventoryState {
  private readonly rows: { readonly [K in Kind]: Map<string, Row<K>> } = {
    namespaces: new Map(),
    workloads: new Map(),
    shared: new Map(),
    groups: new Map(),
    lifelines: new Map(),
  };

  /** @throws {SyntaxError} If the message is no entry of an inventory; it changes nothing then. */
  apply({ key, value }: InventoryMessage): void {
    if (value.length === 0) {
      for (const rows of Object.values(this.rows)) rows.delete(key);
      return;
    }
    const kind = kindOf(key);
    const row = parseDocument(`inventory entry ${JSON.stringify(key)}`, inventoryRowSchemas[kind] as z.ZodType, value);
    const named = keyOf(kind, row as Record<string, unknown>);
    if (named !== key) {
      throw new SyntaxError(
        `Cannot read inventory entry ${JSON.stringify(key)}: its document is of ${JSON.stringify(named)}`,
      );
    }
    (this.rows[kind] as Map<string, unknown>).set(key, row);
  }

  /**
   * The entries as one inventory. Entries change one by one, so that what contradicts itself now may be whole with the next one.
   * @throws {SyntaxError} If entries contradict each other: an address with two owners at one time, a member that is not there.
   */
  inventory(): Inventory {
    const sorted = <K extends Kind>(kind: K) =>
      [...this.rows[kind]].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { version: _, ...row }]) => row);
    const [lifelines] = sorted("lifelines");
    const file = {
      version: 1,
      namespaces: sorted("namespaces"),
      workloads: sorted("workloads"),
      shared: sorted("shared"),
      groups: sorted("groups"),
      ...(lifelines === undefined ? {} : { lifelines }),
    } as InventoryFile;
    const keyAt = ([kind, index]: readonly (string | number)[]) => {
      const row = (file[kind as Kind] as readonly Record<string, unknown>[] | undefined)?.[Number(index)];
      return row === undefined ? "@lifelines" : keyOf(kind as Kind, row);
    };
    for (const { path, wanted } of inventoryConflicts(file)) {
      throw new SyntaxError(`Cannot use inventory entry ${JSON.stringify(keyAt(path))}: ${wanted}`);
    }
    return inventoryOf(file);
  }
}
