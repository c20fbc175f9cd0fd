import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { formatAddress, parseAddress } from "./address.js";
import { formatCidr, parseCidr } from "./cidr.js";
import { inventoryConflicts } from "./inventory-conflicts.js";
import { type InventoryFile, inventoryFileSchema } from "./inventory-schema.js";
import { parseProtocol } from "./protocol.js";
import { parseTimeUs } from "./time-window.js";
import type { AddressInterval, Inventory, Lifelines, Workload } from "./workload.js";

/** Where a field stands in a file: keys and list positions from the top. */
export type FieldPath = readonly (string | number)[];

/** One thing wrong in an inventory file; `message` is one line that names the place, the value and what was wanted. */
export interface InventoryProblem {
  readonly line: number; // 1-based
  readonly column: number;
  readonly field: string; // such as workloads[0].addresses[1].from; "" for the file as a whole
  readonly message: string;
}

/** All that is wrong in one inventory file, in the order of its lines; `message` has one line a problem. */
export class InventoryFileError extends SyntaxError {
  constructor(readonly problems: readonly InventoryProblem[]) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.name = "InventoryFileError";
  }
}

export function formatFieldPath(path: FieldPath): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}

/** The deepest node on `path` that the document has: a missing field is reported at its parent. */
function nodeAt(document: Document, path: FieldPath): Node | undefined {
  let node: unknown = document.contents;
  for (const part of path) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    if (!isMap(resolved) && !isSeq(resolved)) break;
    const next: unknown = resolved.get(part, true);
    if (next === undefined) break;
    node = next;
  }
  return isNode(node) ? node : undefined;
}

function keyNodeAt(document: Document, path: FieldPath, key: string): Node | undefined {
  const node = nodeAt(document, path);
  const map = isAlias(node) ? node.resolve(document) : node;
  if (!isMap(map)) return node;
  const pair = map.items.find((item) => isNode(item.key) && item.key.toJSON() === key);
  return isNode(pair?.key) ? pair.key : node;
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const part of path) {
    // A scalar with path left over is the short form of a mapping, such as an address by itself.
    if (typeof current !== "object" || current === null) return current;
    current = Object.hasOwn(current, part) ? (current as Record<string | number, unknown>)[part] : undefined;
  }
  return current;
}

function quote(value: unknown): string {
  const json = typeof value === "string" ? JSON.stringify(value) : `"${JSON.stringify(value)}"`;
  return json.length <= 80 ? json : `${json.slice(0, 76)}..."`;
}

/** Collects problems with their places; a place is looked up only when there is something to complain about. */
class Complaints {
  readonly problems: InventoryProblem[] = [];
  constructor(
    private readonly fileName: string,
    private readonly lines: LineCounter,
  ) {}

  add(offset: number, field: string, what: string): void {
    const { line, col } = this.lines.linePos(offset);
    const place = `${this.fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
    this.problems.push({
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      field,
      message: `${place}: Cannot read ${field === "" ? "inventory" : field}${what}`,
    });
  }

  throwIfAny(): void {
    if (this.problems.length === 0) return;
    throw new InventoryFileError(this.problems.sort((a, b) => a.line - b.line || a.column - b.column));
  }
}

/**
 * Reads an inventory from YAML 1.2 or JSON text; the format is described in docs/inventory.md. Every problem is found in
 * one go, except that a file which is no YAML, or whose fields have the wrong shape, is not searched for conflicts.
 * `fileName` only names the file in messages.
 * @throws {InventoryFileError} If anything at all is wrong: nothing is skipped or guessed.
 */
export function parseInventory(source: string, fileName = "inventory.yaml"): Inventory {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const complaints = new Complaints(fileName, lines);
  for (const error of document.errors) complaints.add(error.pos[0], "", `: ${error.message.split("\n")[0]}`);
  complaints.throwIfAny();

  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const parsed = inventoryFileSchema.safeParse(value);
  const offsetOf = (path: FieldPath) => nodeAt(document, path)?.range?.[0] ?? 0;
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path as FieldPath;
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) {
          const offset = keyNodeAt(document, path, key)?.range?.[0] ?? 0;
          complaints.add(offset, formatFieldPath([...path, key]), `: unknown field, ${issue.message}`);
        }
        continue;
      }
      const wanted = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
      const found = valueAt(value, path);
      const shown = found === undefined ? ": it is missing" : ` ${quote(found)}`;
      complaints.add(offsetOf(path), formatFieldPath(path), `${shown}${found === undefined ? ", " : ": "}${wanted}`);
    }
    complaints.throwIfAny();
  }

  const file = parsed.data as InventoryFile;
  for (const conflict of inventoryConflicts(file)) {
    const { line } = lines.linePos(offsetOf(conflict.other));
    const also = conflict.other.length === 0 ? "" : ` (see line ${line})`;
    complaints.add(
      offsetOf(conflict.path),
      formatFieldPath(conflict.path),
      ` ${quote(valueAt(value, conflict.path))}: ${conflict.wanted}${also}`,
    );
  }
  complaints.throwIfAny();
  return inventoryOf(file);
}

const canonicalAddress = (text: string) => formatAddress(parseAddress(text));
const canonicalCidrs = (texts: readonly string[] = []) =>
  [...new Set(texts.map((t) => formatCidr(parseCidr(t))))].sort();
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function intervalOf(row: { address: string; from?: string | undefined; until?: string | undefined }): AddressInterval {
  return {
    address: canonicalAddress(row.address),
    ...(row.from === undefined ? {} : { fromUs: parseTimeUs(row.from) }),
    ...(row.until === undefined ? {} : { untilUs: parseTimeUs(row.until) }),
  };
}

function workloadOf(row: NonNullable<InventoryFile["workloads"]>[number]): Workload {
  return {
    id: row.id ?? `${row.namespace}/${row.name}`,
    namespace: row.namespace,
    name: row.name,
    kind: row.kind ?? "Workload",
    labels: row.labels ?? {},
    ...(row.serviceAccount === undefined ? {} : { serviceAccount: row.serviceAccount }),
    ...(row.host === undefined ? {} : { host: row.host }),
    ...(row.ports === undefined
      ? {}
      : { namedPorts: row.ports.map((port) => ({ ...port, protocol: parseProtocol(port.protocol) })) }),
    addresses: (row.addresses ?? [])
      .map(intervalOf)
      .sort(
        (a, b) =>
          byText(a.address, b.address) ||
          (a.fromUs ?? Number.NEGATIVE_INFINITY) - (b.fromUs ?? Number.NEGATIVE_INFINITY) ||
          0,
      ),
  };
}

function lifelinesOf(row: InventoryFile["lifelines"]): Lifelines {
  return {
    management: canonicalCidrs(row?.management),
    resolvers: canonicalCidrs(row?.resolvers),
    timeServers: canonicalCidrs(row?.timeServers),
    controllers: (row?.controllers ?? [])
      .map(({ address, port }) => ({ address: canonicalAddress(address), port }))
      .sort((a, b) => byText(a.address, b.address) || a.port - b.port),
  };
}

/** What a file without conflicts means, sorted. */
export function inventoryOf(file: InventoryFile): Inventory {
  const workloads = (file.workloads ?? []).map(workloadOf).sort((a, b) => byText(a.id, b.id));
  const declared = new Map((file.namespaces ?? []).map((row) => [row.name, row.labels ?? {}]));
  const names = new Set([...declared.keys(), ...workloads.map((w) => w.namespace)]);
  return {
    workloads,
    namespaces: [...names].sort().map((name) => ({ name, labels: declared.get(name) ?? {} })),
    groups: (file.groups ?? [])
      .map(({ name, cidrs }) => ({ name, cidrs: canonicalCidrs(cidrs) }))
      .sort((a, b) => byText(a.name, b.name)),
    shared: (file.shared ?? [])
      .map((row) => ({
        name: row.name,
        namespace: row.namespace,
        addresses: [...new Set(row.addresses.map(canonicalAddress))].sort(),
        members: [...new Set(row.members)].sort(),
      }))
      .sort((a, b) => byText(a.namespace, b.namespace) || byText(a.name, b.name)),
    lifelines: lifelinesOf(file.lifelines),
  };
}
