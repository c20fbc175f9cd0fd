import { formatCidr, parseCidr } from "../../../model/cidr.js";
import type { Inventory } from "../../../model/workload.js";
import type { AllowRule } from "../../allow-rule.js";
import { type ExpressedPolicy, type Loss, type RenderOptions, sortLosses, type UnenforcedEnd } from "../../bundle.js";
import { hostLifelines } from "../../lifelines.js";
import type { Isolation, PolicySet } from "../../policy-set.js";
import { currentAddresses, type Selection, selectionOf } from "../../selection.js";

export interface HostExpression {
  readonly expressed: ExpressedPolicy; // its rules end with the lifelines
  readonly rules: readonly AllowRule[]; // those of the policy
  readonly lifelines: readonly AllowRule[];
  readonly losses: readonly Loss[];
  readonly selection: Selection; // over the expressed policy set
}

/**
 * An address shared by workloads stands for all of them: whoever may reach every member may send to it. Each rule gets
 * a twin for it, because a packet filter sees the shared address before anybody translates it.
 */
function sharedTwins(rule: AllowRule, inventory: Inventory, selection: Selection): AllowRule[] {
  if (rule.server.kind !== "workloads") return [];
  const meant = new Set(selection.select(rule.server.selector).map((workload) => workload.id));
  return inventory.shared
    .filter((shared) => shared.members.length > 0 && shared.members.every((member) => meant.has(member)))
    .flatMap((shared) => shared.addresses)
    .map((address, index) => ({
      ...rule,
      id: `${rule.id}-shared-${index + 1}`,
      server: { kind: "cidr", cidr: formatCidr(parseCidr(address)), except: [] },
    }));
}

/**
 * The policy as packet filters on hosts can say it: lifelines first, addresses instead of labels, no DNS names. Everything
 * else of the neutral model is exact.
 */
export function expressForHosts(policySet: PolicySet, inventory: Inventory, options: RenderOptions): HostExpression {
  const selection = selectionOf(policySet, inventory);
  const losses: Loss[] = [];
  const isolations: Isolation[] = [];
  const unenforced = new Map<string, UnenforcedEnd>();
  for (const { selector, direction } of policySet.isolations) {
    isolations.push({ selector, direction, mode: options.mode });
    for (const workload of selection.select(selector)) {
      if (currentAddresses(workload).length > 0) continue;
      unenforced.set(`${workload.id} ${direction}`, { workload: workload.id, direction });
      const text = `${workload.id} has no address now, so there is no host to write a file for.`;
      losses.push({ ruleId: "isolation", kind: "dropped", text });
    }
  }
  const rules: AllowRule[] = [];
  for (const rule of policySet.rules) {
    if (rule.client.kind === "fqdn" || rule.server.kind === "fqdn") {
      losses.push({
        ruleId: rule.id,
        kind: "dropped",
        text: "Left out: a packet filter knows addresses, not names.",
        packets: [{ client: rule.client, server: rule.server, services: rule.services }],
      });
      continue;
    }
    const twins = sharedTwins(rule, inventory, selection);
    if (twins.length > 0) {
      losses.push({
        ruleId: rule.id,
        kind: "widened",
        text: "Clients may also send to the addresses that the servers share.",
        packets: twins.map(({ client, server, services }) => ({ client, server, services })),
      });
    }
    rules.push(rule, ...twins);
  }
  const lifelines = hostLifelines(inventory);
  losses.push({
    ruleId: "lifeline",
    kind: "widened",
    text: "Whatever the policy says, hosts accept and send: ICMP errors, IPv6 neighbour discovery, DHCP, IGMP, and what the inventory lists as lifelines.",
    packets: lifelines.rules.map(({ client, server, services }) => ({ client, server, services })),
  });
  const conditions = [
    "The files hold the addresses that workloads have in the inventory now: export again when one changes.",
    "Another table on the host may still drop what these files allow; it cannot allow what they drop.",
    "Connections that are open when the rules arrive are kept. Load the audit files first, so that the kernel knows them.",
    "TCP packets of no known connection that do not open one pass: they cannot become a connection here.",
  ];
  if (inventory.lifelines.management.length === 0) {
    conditions.push("The inventory names no management network: SSH passes only where a rule allows it.");
  }
  if (inventory.lifelines.resolvers.length === 0) {
    conditions.push("The inventory names no resolvers: names can be asked only where a rule allows it.");
  }
  for (const text of conditions) losses.push({ ruleId: "bundle", kind: "conditional", text });
  const expressed: PolicySet = {
    ...policySet,
    rules: [...rules, ...lifelines.rules],
    isolations,
    groups: [...policySet.groups, ...lifelines.groups],
  };
  const ends = [...unenforced].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, end]) => end);
  return {
    expressed: { policySet: expressed, unenforced: ends },
    rules,
    lifelines: lifelines.rules,
    losses: sortLosses(losses),
    selection: selectionOf(expressed, inventory),
  };
}
