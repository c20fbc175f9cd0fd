import type { AllowRule } from "../allow-rule.js";
import type { Loss } from "../bundle.js";
import type { Isolation } from "../policy-set.js";
import { listed } from "./listed.js";
import { type PodsSelection, podSelectionsAt } from "./pod-policies.js";

/**
 * For targets whose selectors are `key: value` alone and that judge at the server: where a rule's servers cannot all be
 * singled out so, the rule is left for those that can, as one rule for each selector. Less is allowed, never more.
 */
export function splitByLabels(
  rule: AllowRule,
  isolations: readonly Isolation[],
  selection: PodsSelection,
): { readonly rules: readonly AllowRule[]; readonly loss?: Loss } {
  const { server } = rule;
  if (selection.hasExpressions || server.kind !== "workloads") return { rules: [rule] };
  const ingress = isolations.filter(({ direction }) => direction === "ingress");
  const meant = new Set(selection.select(server.selector).filter(selection.isPod));
  const isolated = new Set(ingress.flatMap((isolation) => selection.select(isolation.selector)));
  const places = ingress.flatMap((isolation) => podSelectionsAt(server, rule.client, isolation, selection));
  const reached = new Set(places.flatMap(({ workloads }) => workloads));
  const missed = [...meant].filter((workload) => isolated.has(workload) && !reached.has(workload));
  if (missed.length === 0) return { rules: [rule] };
  const selectors = new Map(
    places.map(({ namespaces, selector, serviceAccounts }) => {
      const made = { namespaces, labels: selector, serviceAccounts };
      return [JSON.stringify(made), made];
    }),
  );
  const rules = [...selectors.values()].map(
    (selector, part): AllowRule => ({
      ...rule,
      id: `${rule.id}-part-${part + 1}`,
      server: { kind: "workloads", selector },
    }),
  );
  const text = `The target selects servers by \`key: value\` alone, which cannot single out ${listed(missed.map(({ id }) => id))}: they are left out.`;
  const packets = [{ client: rule.client, server, services: rule.services }];
  return { rules, loss: { ruleId: rule.id, kind: "dropped", text, packets } };
}
