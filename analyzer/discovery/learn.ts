import type { Inventory } from "../../model/workload.js";
import { type Admission, admit } from "./admission.js";
import type { History } from "./history.js";
import { labelRoles } from "./label-roles.js";
import type { DiscoveryOptions } from "./options.js";
import { findRoles, type Roles } from "./roles.js";
import { type MinedRule, mineRules } from "./rules.js";
import { classifyServices, type ServiceClass } from "./service-class.js";
import type { Units } from "./units.js";

/** All that was learned from some windows, before it is written down as policy. */
export interface Learned {
  readonly units: Units;
  readonly admission: Admission;
  readonly classes: ReadonlyMap<string, ServiceClass>; // by history id
  readonly roles: Roles;
  readonly rules: readonly MinedRule[];
}

/** noise, direction and quarantine -> services -> roles -> rules. The backtest runs exactly this on the past. */
export function learn(
  histories: readonly History[],
  inventory: Inventory,
  units: Units,
  options: DiscoveryOptions,
): Learned {
  const siblings = new Map(
    labelRoles(inventory.workloads).flatMap(({ name, members }) => members.map((id) => [`w:${id}`, name] as const)),
  );
  const admission = admit(histories, inventory, siblings, options);
  const classes = classifyServices(admission.admitted, options);
  const roles = findRoles(admission.admitted, classes, inventory, options);
  return { units, admission, classes, roles, rules: mineRules(admission.admitted, classes, roles, options) };
}
