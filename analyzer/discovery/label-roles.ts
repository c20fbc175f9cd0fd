import type { Workload } from "../../model/workload.js";
import { environmentOf, roleLabels } from "./stable-labels.js";

/** Workloads of one namespace and environment whose role labels agree. */
export interface LabelRole {
  readonly name: string;
  readonly members: readonly string[]; // workload ids, sorted
}

/**
 * Groups workloads by what their labels declare, finest first: two workloads share a role only if all their role labels,
 * their namespace and their environment agree. Splitting one role in two adds rules; merging two would allow what
 * neither needs. Workloads without role labels are in none.
 */
export function labelRoles(workloads: readonly Workload[]): LabelRole[] {
  const groups = new Map<string, { name: string; members: string[] }>();
  for (const workload of workloads) {
    const labels = roleLabels(workload.labels);
    if (labels.length === 0) continue;
    const environment = environmentOf(workload);
    const key = JSON.stringify([workload.namespace, environment, labels]);
    const values = [...new Set(labels.map(([, value]) => value))].filter((value) => value !== "");
    const parts = [...values, ...environment.split("/").filter((part) => part !== "")];
    let group = groups.get(key);
    if (group === undefined) {
      group = { name: `${workload.namespace}/${parts.join("-") || "unnamed"}`, members: [] };
      groups.set(key, group);
    }
    group.members.push(workload.id);
  }
  return [...groups.values()].map(({ name, members }) => ({ name, members: members.sort() }));
}
