import type { AddressGroup } from "../../model/workload.js";
import { POLICY_SET_VERSION } from "../../policy/policy-set.js";
import { PROPOSAL_VERSION, type Proposal } from "../proposal.js";
import { exclusionsOf } from "./exclusions.js";
import { foldSightings, groupWindows, historiesBefore } from "./history.js";
import type { DiscoveryInput } from "./input.js";
import { planIsolations } from "./isolations.js";
import { learn } from "./learn.js";
import { lifelineRules } from "./lifelines.js";
import { DEFAULT_DISCOVERY_OPTIONS } from "./options.js";
import { fixedAddressesOf } from "./peer-choice.js";
import { judgeReadiness } from "./readiness.js";
import { writeRule } from "./rules.js";
import { selectorSearch } from "./selector-search.js";
import { unitsOf } from "./units.js";

function sortedBy<T>(items: Iterable<T>, key: (item: T) => string): T[] {
  return [...items]
    .map((item) => [key(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, item]) => item);
}

/**
 * From conversation windows to a proposal for review. Pure: equal input, in whatever order, gives an equal proposal.
 * Isolations come in audit mode, generation is 1; whoever stores the proposal sets both when people decide.
 */
export function discover(input: DiscoveryInput): Proposal {
  const { windows, inventory, gaps, samples } = input;
  const options = { ...DEFAULT_DISCOVERY_OPTIONS, ...input.options };
  const units = unitsOf(windows, options.shortCaptureUs);
  const sightings = groupWindows(windows, inventory);
  const histories = foldSightings(sightings, units);
  const learned = learn(histories, inventory, units, options);
  const selectors = selectorSearch(inventory);
  const context = { inventory, selectors, options, fixedAddresses: fixedAddressesOf(inventory) };
  const written = learned.rules.map((rule) => writeRule(rule, context, { units, samples }));
  const plan = planIsolations(learned.admission, learned.roles, inventory, selectors);
  const rules = [...written.flatMap((entry) => entry.rules), ...lifelineRules(inventory, plan.isolated, selectors)];
  const groups = new Map<string, AddressGroup>();
  for (const group of written.flatMap((entry) => entry.groups)) groups.set(group.name, group);
  const { state, reason, gates } = judgeReadiness(
    (until) => historiesBefore(sightings, histories, units, until),
    learned,
    gaps,
    inventory,
    options,
  );
  return {
    version: PROPOSAL_VERSION,
    state,
    stateReason: reason,
    gates,
    fromUs: units.fromUs,
    untilUs: units.untilUs,
    policySet: {
      version: POLICY_SET_VERSION,
      name: options.name,
      generation: 1,
      rules: sortedBy(rules, ({ id }) => id),
      isolations: sortedBy(plan.isolations, (isolation) => JSON.stringify(isolation)),
      groups: sortedBy(groups.values(), ({ name }) => name),
    },
    roles: learned.roles.all.flatMap(({ name, basis, members }) =>
      basis === "outside"
        ? []
        : { name, basis, members: members.map((member) => (member.kind === "workload" ? member.id : member.address)) },
    ),
    openWorkloads: plan.open,
    exclusions: exclusionsOf(learned.admission.rejected),
    gaps: sortedBy(gaps, ({ collector, fromUs, untilUs, reason: why }) =>
      JSON.stringify([collector, fromUs, untilUs, why]),
    ),
  };
}
