import type { Inventory, Workload } from "../../model/workload.js";
import type { ProposedRole } from "../proposal.js";
import type { Admitted } from "./admission.js";
import type { Endpoint } from "./endpoint.js";
import { type LabelRole, labelRoles } from "./label-roles.js";
import type { DiscoveryOptions } from "./options.js";
import { profileRoles } from "./profile-roles.js";
import { roleName, uniqueNames } from "./role-names.js";
import type { ServiceClass } from "./service-class.js";
import { environmentOf } from "./stable-labels.js";

/** A role as rules see it; members are endpoint keys. */
export interface Role {
  readonly name: string;
  readonly basis: ProposedRole["basis"] | "outside"; // "outside": addresses of a named group, each for itself
  readonly members: readonly Endpoint[]; // sorted by key; of an outside role those seen
}

export interface Roles {
  readonly all: readonly Role[]; // sorted by name
  readonly of: ReadonlyMap<string, Role>; // endpoint key to role
}

/** Identity groups that stand for hosts of ours nobody listed; all other groups are the outside. */
const UNLISTED_GROUP = "private";

/** Pods of one rollout are one thing, whatever each of them did. */
function rolloutOf(workload: Workload): string | undefined {
  const hash = workload.labels["pod-template-hash"] ?? workload.labels["controller-revision-hash"];
  return hash === undefined ? undefined : `${workload.namespace}/${hash}`;
}

function endpointsSeen(admitted: readonly Admitted[]): Map<string, Endpoint> {
  const seen = new Map<string, Endpoint>();
  for (const { history } of admitted) {
    seen.set(history.client.key, history.client);
    seen.set(history.server.key, history.server);
  }
  return seen;
}

/**
 * Gives every endpoint exactly one role: the one its labels declare; else, for workloads without role labels and for
 * private addresses without a workload, the one its service profile shows, never across environments or namespaces;
 * else one of its own. Roles come from what hosts offer and use, not from whom they talk to: on networks with known
 * roles communities of the talk graph are worth next to nothing.
 */
export function findRoles(
  admitted: readonly Admitted[],
  classes: ReadonlyMap<string, ServiceClass>,
  inventory: Inventory,
  options: DiscoveryOptions,
): Roles {
  const seen = endpointsSeen(admitted);
  for (const { id } of inventory.workloads) {
    if (!seen.has(`w:${id}`)) seen.set(`w:${id}`, { kind: "workload", key: `w:${id}`, id });
  }
  const drafts: { name: string; basis: Role["basis"]; members: Endpoint[] }[] = [];
  const labelled = new Set<string>();
  for (const { name, members } of labelRoles(inventory.workloads) as LabelRole[]) {
    for (const id of members) labelled.add(`w:${id}`);
    drafts.push({ name, basis: "labels", members: members.map((id) => seen.get(`w:${id}`) as Endpoint) });
  }

  const workloads = new Map(inventory.workloads.map((workload) => [workload.id, workload]));
  const blocks = new Map<string, Endpoint[]>();
  const outside = new Map<string, Endpoint[]>();
  for (const key of [...seen.keys()].sort()) {
    const endpoint = seen.get(key) as Endpoint;
    if (labelled.has(key)) continue;
    const [into, name] =
      endpoint.kind === "address" && endpoint.group !== UNLISTED_GROUP
        ? [outside, endpoint.group]
        : [blocks, blockOf(endpoint, workloads)];
    into.set(name, [...(into.get(name) ?? []), endpoint]);
  }
  const features = featuresByEndpoint(admitted, classes);
  for (const members of blocks.values()) {
    const linkOf = (endpoint: Endpoint) => {
      const workload = endpoint.kind === "workload" ? workloads.get(endpoint.id) : undefined;
      return (workload && rolloutOf(workload)) ?? endpoint.key;
    };
    for (const cluster of profileRoles(members, features, linkOf, options.roleCut)) {
      drafts.push({
        name: roleName(cluster, workloads, features),
        basis: cluster.length === 1 ? "single" : "profile",
        members: cluster,
      });
    }
  }
  for (const [group, members] of outside) drafts.push({ name: `outside/${group}`, basis: "outside", members });

  const all = uniqueNames(drafts).sort((a, b) => (a.name < b.name ? -1 : 1));
  const of = new Map(all.flatMap((role) => role.members.map((member) => [member.key, role] as const)));
  return { all, of };
}

function blockOf(endpoint: Endpoint, workloads: ReadonlyMap<string, Workload>): string {
  if (endpoint.kind === "address") return "unlisted";
  const workload = workloads.get(endpoint.id);
  return workload === undefined ? "unlisted" : JSON.stringify([workload.namespace, environmentOf(workload)]);
}

/** What each endpoint offers and uses, in words that `serviceProfiles` reads. */
function featuresByEndpoint(
  admitted: readonly Admitted[],
  classes: ReadonlyMap<string, ServiceClass>,
): Map<string, Set<string>> {
  const features = new Map<string, Set<string>>();
  const add = (key: string, feature: string) => {
    const set = features.get(key);
    if (set === undefined) features.set(key, new Set([feature]));
    else set.add(feature);
  };
  for (const { history } of admitted) {
    const service = (classes.get(history.id) as ServiceClass).key;
    add(history.server.key, `provides ${service}`);
    add(history.client.key, `consumes ${service}`);
  }
  return features;
}
