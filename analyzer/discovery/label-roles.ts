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
 * neither needs. Workloads without role labels are in none. The environment is part of a name only where two roles would
 * share it otherwise.
 */
export function labelRoles(workloads: readonly Workload[]): LabelRole[] {
  const groups = new Map<string, { short: string; long: string; members: string[] }>();
  const uses = new Map<string, number>();
  for (const workload of workloads) {
    const labels = roleLabels(workload.labels);
    if (labels.length === 0) continue;
    const environment = environmentOf(workload);
    const key = JSON.stringify([workload.namespace, environment, labels]);
    const known = groups.get(key);
    if (known !== undefined) {
      known.members.push(workload.id);
      continue;
    }
    const values = [...new Set(labels.map(([, value]) => value))].filter((value) => value !== "");
    const short = `${workload.namespace}/${values.join("-") || "unnamed"}`;
    const long = [short, ...environment.split("/").filter((part) => part !== "")].join("-");
    groups.set(key, { short, long, members: [workload.id] });
    uses.set(short, (uses.get(short) ?? 0) + 1);
  }
  return [...groups.values()].map(({ short, long, members }) => ({
    name: uses.get(short) === 1 ? short : long,
    members: members.sort(),
  }));
}
