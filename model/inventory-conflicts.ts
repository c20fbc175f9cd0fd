import { formatAddress, parseAddress } from "./address.js";
import { formatCidr, parseCidr } from "./cidr.js";
import type { InventoryFile } from "./inventory-schema.js";
import { formatTimeUs, parseTimeUs } from "./time-window.js";

/** Two places of an inventory file that cannot both be true, or one (`other` empty) that refers to nothing. */
export interface InventoryConflict {
  readonly path: readonly (string | number)[];
  readonly other: readonly (string | number)[];
  readonly wanted: string;
}

type Path = readonly (string | number)[];

interface Claim {
  readonly address: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly owner: string;
  readonly path: Path;
}

/** Claims of one name by several places, each place after the first one being a conflict. */
function* duplicates(claims: Iterable<{ name: string; path: Path }>, wanted: string): Generator<InventoryConflict> {
  const first = new Map<string, Path>();
  for (const { name, path } of claims) {
    const other = first.get(name);
    if (other === undefined) first.set(name, path);
    else yield { path, other, wanted };
  }
}

function formatSpan(fromUs: number, untilUs: number): string {
  const from = Number.isFinite(fromUs) ? ` from ${formatTimeUs(fromUs)}` : "";
  const until = Number.isFinite(untilUs) ? ` until ${formatTimeUs(untilUs)}` : "";
  return from === "" && until === "" ? " at all times" : `${from}${until}`;
}

function* overlaps(claims: readonly Claim[]): Generator<InventoryConflict> {
  const byAddress = new Map<string, Claim[]>();
  for (const claim of claims) {
    const rivals = byAddress.get(claim.address);
    if (rivals === undefined) byAddress.set(claim.address, [claim]);
    else rivals.push(claim);
  }
  for (const rivals of byAddress.values()) {
    rivals.sort((a, b) => a.fromUs - b.fromUs || a.untilUs - b.untilUs || 0);
    // The one that reaches furthest so far is enough to meet each overlap once.
    let reach: Claim | undefined;
    for (const claim of rivals) {
      if (reach !== undefined && claim.fromUs < reach.untilUs) {
        const span = formatSpan(claim.fromUs, Math.min(claim.untilUs, reach.untilUs));
        const wanted = `wanted one owner of ${claim.address} at a time, but ${reach.owner} and ${claim.owner} both have it${span}`;
        yield { path: claim.path, other: reach.path, wanted };
      }
      if (reach === undefined || claim.untilUs > reach.untilUs) reach = claim;
    }
  }
}

/** What no single field shows: names given twice, an address with two owners at one time, members nobody declared. */
export function* inventoryConflicts(file: InventoryFile): Generator<InventoryConflict> {
  const workloads = (file.workloads ?? []).map((row, i) => ({
    row,
    id: row.id ?? `${row.namespace}/${row.name}`,
    path: ["workloads", i] as Path,
  }));
  const shared = (file.shared ?? []).map((row, i) => ({ row, path: ["shared", i] as Path }));
  const groups = (file.groups ?? []).map((row, i) => ({ row, path: ["groups", i] as Path }));

  yield* duplicates(
    (file.namespaces ?? []).map(({ name }, i) => ({ name, path: ["namespaces", i, "name"] })),
    "wanted each namespace once",
  );
  yield* duplicates(
    workloads.map(({ row, id, path }) => ({ name: id, path: [...path, row.id === undefined ? "name" : "id"] })),
    "wanted each workload id once",
  );
  yield* duplicates(
    shared.map(({ row, path }) => ({ name: `${row.namespace}/${row.name}`, path: [...path, "name"] })),
    "wanted each shared name once in its namespace",
  );
  yield* duplicates(
    groups.map(({ row, path }) => ({ name: row.name, path: [...path, "name"] })),
    "wanted each group once",
  );
  yield* duplicates(
    groups.flatMap(({ row, path }) =>
      row.cidrs.map((cidr, i) => ({ name: formatCidr(parseCidr(cidr)), path: [...path, "cidrs", i] })),
    ),
    "wanted each CIDR in one group only",
  );

  const claims: Claim[] = [];
  for (const { row, id, path } of workloads) {
    for (const [i, interval] of (row.addresses ?? []).entries()) {
      const fromUs = interval.from === undefined ? Number.NEGATIVE_INFINITY : parseTimeUs(interval.from);
      const untilUs = interval.until === undefined ? Number.POSITIVE_INFINITY : parseTimeUs(interval.until);
      if (fromUs >= untilUs) {
        const wanted = "wanted a time after `from`";
        yield { path: [...path, "addresses", i, "until"], other: [...path, "addresses", i, "from"], wanted };
        continue;
      }
      const address = formatAddress(parseAddress(interval.address));
      claims.push({ address, fromUs, untilUs, owner: id, path: [...path, "addresses", i] });
    }
  }
  for (const { row, path } of shared) {
    for (const [i, text] of row.addresses.entries()) {
      claims.push({
        address: formatAddress(parseAddress(text)),
        fromUs: Number.NEGATIVE_INFINITY,
        untilUs: Number.POSITIVE_INFINITY,
        owner: `the shared name ${row.namespace}/${row.name}`,
        path: [...path, "addresses", i],
      });
    }
  }
  yield* overlaps(claims);

  const ids = new Set(workloads.map(({ id }) => id));
  for (const { row, id, path } of workloads) {
    if (row.host !== undefined && (row.host === id || !ids.has(row.host))) {
      yield { path: [...path, "host"], other: [], wanted: "wanted the id of another workload in this file" };
    }
  }
  for (const { row, path } of shared) {
    for (const [i, member] of row.members.entries()) {
      if (!ids.has(member)) {
        yield { path: [...path, "members", i], other: [], wanted: "wanted the id of a workload in this file" };
      }
    }
  }
}
