import { tryParseAddress } from "../../model/address.js";
import type { Workload } from "../../model/workload.js";
import type { Endpoint } from "./endpoint.js";

function commonPrefix(texts: readonly string[]): string {
  const first = texts[0] ?? "";
  let length = first.length;
  for (const text of texts) {
    while (!text.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, length).replace(/[-_.\d]+$/, "");
}

/**
 * A name for a role that no label names: what its members' names begin with, else what most of them offer, else what
 * they use, else the first member.
 */
export function roleName(
  members: readonly Endpoint[],
  workloads: ReadonlyMap<string, Workload>,
  features: ReadonlyMap<string, ReadonlySet<string>>,
): string {
  const known = members.flatMap((member) => (member.kind === "workload" ? (workloads.get(member.id) ?? []) : []));
  const place = known[0]?.namespace ?? "unlisted";
  const [first] = members;
  if (members.length === 1 && first !== undefined) {
    return first.kind === "workload" ? `${place}/${known[0]?.name ?? first.id}` : `${place}/${first.address}`;
  }
  const names = known.length === members.length ? known.map(({ name }) => name) : [];
  const prefix = names.some((name) => tryParseAddress(name) !== undefined) ? "" : commonPrefix(names);
  if (prefix.length >= 2) return `${place}/${prefix}`;
  const votes = new Map<string, number>();
  for (const { key } of members) {
    for (const feature of features.get(key) ?? []) votes.set(feature, (votes.get(feature) ?? 0) + 1);
  }
  const best = [...votes].sort(
    (a, b) =>
      Number(b[0].startsWith("provides")) - Number(a[0].startsWith("provides")) ||
      b[1] - a[1] ||
      (a[0] < b[0] ? -1 : 1),
  )[0]?.[0];
  if (best === undefined) return `${place}/unnamed`;
  const [verb, service] = best.split(" ") as [string, string];
  return `${place}/${service.replaceAll("/", "-")}-${verb === "provides" ? "servers" : "clients"}`;
}

/** Adds the first member to names that occur twice, and a number where even that is not enough. */
export function uniqueNames<T extends { readonly name: string; readonly members: readonly Endpoint[] }>(
  roles: readonly T[],
): T[] {
  const count = new Map<string, number>();
  for (const { name } of roles) count.set(name, (count.get(name) ?? 0) + 1);
  const used = new Set<string>();
  return roles.map((role) => {
    const first = role.members[0];
    const suffix = first === undefined ? "" : first.kind === "workload" ? first.id : first.address;
    const base = (count.get(role.name) ?? 0) > 1 ? `${role.name} (${suffix})` : role.name;
    let name = base;
    for (let i = 2; used.has(name); i++) name = `${base} ${i}`;
    used.add(name);
    return { ...role, name };
  });
}
