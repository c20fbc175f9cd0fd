import type { Inventory } from "../../model/workload.js";
import type { Isolation } from "../../policy/policy-set.js";
import type { OpenWorkload } from "../proposal.js";
import type { Admission } from "./admission.js";
import { listed } from "./peer-choice.js";
import type { Roles } from "./roles.js";
import type { SelectorSearch } from "./selector-search.js";

export interface IsolationPlan {
  readonly isolations: readonly Isolation[]; // audit mode, both directions; in order of role names
  readonly isolated: ReadonlySet<string>; // workload ids
  readonly open: readonly OpenWorkload[]; // sorted by id
}

/**
 * Isolates every workload of which something was learned, in audit mode and both directions; people raise the mode later.
 * A workload that was silent, or of which nothing was admitted, would be cut off by an isolation without rules, so it is
 * left open and named. A silent member of a declared role that no label tells from its siblings shares their lot: the
 * role's rules are its rules too.
 */
export function planIsolations(
  admission: Admission,
  roles: Roles,
  inventory: Inventory,
  selectors: SelectorSearch,
): IsolationPlan {
  const active = new Set(admission.admitted.flatMap(({ history }) => [history.client.key, history.server.key]));
  const tried = new Set(admission.rejected.map(({ history }) => history.client.key));
  const isolations: Isolation[] = [];
  const isolated = new Set<string>();
  const open: OpenWorkload[] = [];
  const isolate = (ids: ReadonlySet<string>): boolean => {
    const selector = selectors.exact(ids);
    if (selector === undefined) return false;
    for (const direction of ["egress", "ingress"] as const) isolations.push({ selector, direction, mode: "audit" });
    for (const id of ids) isolated.add(id);
    return true;
  };
  for (const role of roles.all) {
    const all = role.members.flatMap((member) => (member.kind === "workload" ? member.id : []));
    const learned = all.filter((id) => active.has(`w:${id}`));
    if (learned.length === 0) continue;
    if (isolate(new Set(learned))) continue;
    if (role.basis === "labels" && isolate(new Set(all))) continue;
    for (const id of learned) isolate(new Set([id]));
    for (const id of learned.filter((member) => !isolated.has(member))) {
      const others = selectors.closest(new Set([id])).matched.filter((other) => other !== id);
      open.push({
        workload: id,
        reason: `No stable label tells it from ${listed(others)}, so that no policy can select it alone; give it one.`,
      });
    }
  }
  for (const { id } of inventory.workloads) {
    if (isolated.has(id) || active.has(`w:${id}`)) continue;
    const reason = tried.has(`w:${id}`)
      ? "All that it was seen doing is excluded, so an isolation would cut it off; look at the exclusions first."
      : "It was not seen doing anything, so an isolation would cut off whatever it does.";
    open.push({ workload: id, reason });
  }
  return { isolations, isolated, open: open.sort((a, b) => (a.workload < b.workload ? -1 : 1)) };
}
