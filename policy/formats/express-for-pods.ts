import { formatSelector } from "../../model/label-selector.js";
import type { AddressGroup, Inventory, Workload } from "../../model/workload.js";
import type { AllowRule } from "../allow-rule.js";
import { type ExpressedPolicy, type Loss, type RenderOptions, sortLosses, type UnenforcedEnd } from "../bundle.js";
import { dnsLifelines, resolverGroup, UNJUDGED, unjudgedRule } from "../lifelines.js";
import type { Peer, WorkloadSelector } from "../peer.js";
import type { Isolation, PolicySet } from "../policy-set.js";
import { type Selection, selectionOf } from "../selection.js";
import { canonicalSelector } from "../selector-algebra.js";
import { cutAddresses } from "./cut-addresses.js";
import { listed } from "./listed.js";
import { isPinned, type PodsSelection, podSelectionsAt } from "./pod-policies.js";
import { type FittedPeer, invalidLabelOf, type PodTarget, podCensus } from "./pod-target.js";
import { splitByLabels } from "./split-by-labels.js";

/** The policy as a target can say it, with what is lost on the way. */
export interface Expression {
  readonly expressed: ExpressedPolicy;
  readonly written: PolicySet; // what files are to say; `expressed` is what it comes to
  readonly losses: readonly Loss[];
  readonly selection: PodsSelection; // over the expressed policy set
}

/** The selector without service accounts, and whether it still selects the same workloads. */
function withoutServiceAccounts(selector: WorkloadSelector, selection: Selection) {
  const bare: WorkloadSelector = { ...selector, serviceAccounts: [] };
  return { bare, isSame: selection.select(bare).length === selection.select(selector).length };
}

const ANYBODY: Peer = { kind: "any" };

/** Why the target has no words for the selector, or `undefined`. */
function unsayable(selector: WorkloadSelector): string | undefined {
  if (canonicalSelector(selector.labels) === undefined || canonicalSelector(selector.namespaces) === undefined) {
    return `no label set meets "${formatSelector(selector.labels)}" in namespaces "${formatSelector(selector.namespaces)}"`;
  }
  const label = invalidLabelOf(selector.labels) ?? invalidLabelOf(selector.namespaces);
  return label === undefined ? undefined : `"${label}" is not a valid label, so no pod bears it`;
}

function expressIsolations(policySet: PolicySet, selection: PodsSelection, target: PodTarget, options: RenderOptions) {
  const losses: Loss[] = [];
  const isolations = new Map<string, Isolation>();
  const wanted = new Map<string, UnenforcedEnd>();
  const enforced = new Set<string>();
  const keyOf = (workload: Workload, direction: string) => `${workload.id} ${direction}`;
  for (const isolation of policySet.isolations) {
    const { direction } = isolation;
    const selected = selection.select(isolation.selector);
    for (const workload of selected) {
      wanted.set(keyOf(workload, direction), { workload: workload.id, direction });
    }
    if (!target.directions.includes(direction)) {
      const text = `${target.name} has no ${direction} policy: ${direction} of ${listed(selected.map(({ id }) => id))} stays open.`;
      losses.push({ ruleId: "isolation", kind: "dropped", text });
      continue;
    }
    let { selector } = isolation;
    const reason = unsayable(selector);
    if (reason !== undefined) {
      if (selected.length > 0) {
        const text = `${target.name} cannot isolate ${listed(selected.map(({ id }) => id))}: ${reason}.`;
        losses.push({ ruleId: "isolation", kind: "dropped", text });
      }
      continue;
    }
    if (selector.serviceAccounts.length > 0 && !target.hasServiceAccounts) {
      const { bare, isSame } = withoutServiceAccounts(selector, selection);
      const accounts = selector.serviceAccounts.join(", ");
      const text = isSame
        ? `${target.name} cannot select service accounts: holds while only ${accounts} run pods labelled "${formatSelector(selector.labels)}".`
        : `${target.name} cannot select service accounts: pods of ${accounts} are not isolated, as others bear the same labels.`;
      losses.push({ ruleId: "isolation", kind: isSame ? "conditional" : "dropped", text });
      if (!isSame) continue;
      selector = bare;
    }
    if (!isPinned(selector.namespaces) && !target.isClusterwide) {
      const text = `Files are written for the namespaces of today that match "${formatSelector(selector.namespaces)}": export again when one is added.`;
      losses.push({ ruleId: "isolation", kind: "conditional", text });
    }
    const said: Isolation = { selector, direction, mode: target.audit === "none" ? "deny" : options.mode };
    const reached = new Set(podSelectionsAt(ANYBODY, ANYBODY, said, selection).flatMap(({ workloads }) => workloads));
    for (const workload of reached) enforced.add(keyOf(workload, direction));
    const missed = selected.filter((workload) => selection.isPod(workload) && !reached.has(workload));
    if (missed.length > 0) {
      const text = `${target.name} cannot single out ${listed(missed.map(({ id }) => id))} by labels: not isolated.`;
      losses.push({ ruleId: "isolation", kind: "dropped", text });
    }
    isolations.set(JSON.stringify(said), said);
  }
  const unenforced = [...wanted].filter(([key]) => !enforced.has(key)).map(([, end]) => end);
  unenforced.sort((a, b) =>
    a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : a.direction < b.direction ? -1 : 1,
  );
  const hosts = [...new Set(unenforced.map((end) => end.workload))].filter((id) =>
    selection.workloads.some((workload) => workload.id === id && !selection.isPod(workload)),
  );
  if (hosts.length > 0) {
    const text = `${target.name} isolates pods only: ${listed(hosts)} stay open here, use the nftables files for them.`;
    losses.push({ ruleId: "isolation", kind: "dropped", text });
  }
  const sorted = [...isolations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, isolation]) => isolation);
  return { isolations: sorted, unenforced, losses };
}

function fitPeer(peer: Peer, selection: Selection, target: PodTarget): FittedPeer {
  if (peer.kind === "fqdn") {
    return target.hasNames
      ? { kind: "said", peer }
      : { kind: "unsayable", text: `${target.name} knows addresses and labels, not the name "${peer.pattern}"` };
  }
  if (peer.kind !== "workloads") return { kind: "said", peer };
  const reason = unsayable(peer.selector);
  if (reason !== undefined) return { kind: "unsayable", text: reason };
  if (peer.selector.serviceAccounts.length === 0 || target.hasServiceAccounts) return { kind: "said", peer };
  const { bare, isSame } = withoutServiceAccounts(peer.selector, selection);
  const accounts = peer.selector.serviceAccounts.join(", ");
  const said: Peer = { kind: "workloads", selector: bare };
  if (isSame) {
    const condition = `Holds while only ${accounts} run pods labelled "${formatSelector(bare.labels)}": ${target.name} cannot select service accounts.`;
    return { kind: "said", peer: said, condition };
  }
  const more = selection.select(bare).length - selection.select(peer.selector).length;
  const text = `${target.name} cannot select service accounts: without ${accounts} the labels also select ${more} other workload(s)`;
  return { kind: "wider", peer: said, text };
}

/**
 * Rewrites a policy set until the target can say every part of it exactly, and reports each step that loses
 * something. Rules keep their ids. DNS lifelines are added for every isolated egress.
 *
 * Audit is `staged` where the target judges without enforcing, `open` where its files can be written so that they isolate
 * nobody, and `none` where files always enforce.
 */
export function expressForPods(
  policySet: PolicySet,
  inventory: Inventory,
  options: RenderOptions,
  target: PodTarget,
): Expression {
  const { isPod, isAssumed } = podCensus(inventory.workloads);
  const { isClusterwide, hasExpressions, addressesMean, rootNamespace } = target;
  const means = {
    isPod,
    isClusterwide,
    hasExpressions,
    addressesMean,
    ...(rootNamespace === undefined ? {} : { rootNamespace }),
  };
  const named: PolicySet = { ...policySet, groups: [...policySet.groups, resolverGroup(inventory)] };
  const selection = { ...selectionOf(named, inventory), ...means };
  const { isolations, unenforced, losses } = expressIsolations(policySet, selection, target, options);
  if (isAssumed) {
    const text = "The inventory names hosts only: the files take each workload for pods that bear its labels.";
    losses.push({ ruleId: "bundle", kind: "conditional", text });
  }
  const rules: AllowRule[] = [];
  for (const rule of policySet.rules) {
    const report = (kind: Loss["kind"], text: string, services = rule.services) =>
      losses.push({ ruleId: rule.id, kind, text, packets: [{ client: rule.client, server: rule.server, services }] });
    const services = target.fitServices(rule.services);
    for (const { services: lost, text } of services.lost) report("dropped", text, lost);
    const client =
      target.fitClient?.(rule.client, { ...selection, isAssumed }) ?? fitPeer(rule.client, selection, target);
    const server = fitPeer(rule.server, selection, target);
    if (client.kind === "unsayable" || server.kind === "unsayable") {
      report(
        "dropped",
        `Left out: ${client.kind === "unsayable" ? client.text : server.kind === "unsayable" ? server.text : ""}.`,
      );
      continue;
    }
    if (services.said.length === 0) continue;
    const wider = [client, server].flatMap((end) => (end.kind === "wider" ? [end.text] : []));
    if (wider.length > 0 && options.acceptWidenings !== true) {
      const text = `Refused: ${wider.join("; ")}. Accept widenings to write it all the same.`;
      const packets = [{ client: rule.client, server: rule.server, services: rule.services }];
      losses.push({ ruleId: rule.id, kind: "dropped", text, packets, isRefused: true });
      continue;
    }
    const said: AllowRule = { ...rule, client: client.peer, server: server.peer, services: services.said };
    for (const text of wider) {
      const packets = [{ client: said.client, server: said.server, services: said.services }];
      losses.push({ ruleId: rule.id, kind: "widened", text: `${text}.`, packets });
    }
    for (const end of [client, server]) {
      if (end.kind === "said" && end.condition !== undefined) {
        losses.push({ ruleId: rule.id, kind: "conditional", text: end.condition });
      }
    }
    rules.push(said);
  }
  const lifelines = dnsLifelines(isolations);
  if (lifelines.length > 0) {
    losses.push({
      ruleId: "lifeline",
      kind: "widened",
      text: "Isolated egress may always ask for names: TCP and UDP 53 to the cluster's DNS, the node's DNS cache and the inventory's resolvers.",
      packets: lifelines.map(({ client, server, services }) => ({ client, server, services })),
    });
  }
  if (target.unjudged !== undefined && isolations.length > 0) {
    const open = unjudgedRule(target.unjudged.services, target.unjudged.text);
    lifelines.push(open);
    const { client, server, services } = open;
    losses.push({
      ruleId: "isolation",
      kind: "widened",
      text: target.unjudged.text,
      packets: [{ client, server, services }],
    });
  }
  const groups: AddressGroup[] = [];
  const cut = [...rules, ...lifelines].flatMap((rule) => {
    // Both ends are looked at as the policy has them, whatever the other one loses.
    let left = rule;
    for (const end of ["client", "server"] as const) {
      const { peer, group, loss } = cutAddresses(rule, end, isolations, selection);
      left = { ...left, [end]: peer };
      if (group !== undefined) groups.push(group);
      if (loss !== undefined) losses.push(loss);
    }
    const split = splitByLabels(left, isolations, selection);
    if (split.loss !== undefined) losses.push(split.loss);
    return split.rules;
  });
  const expressed: PolicySet = {
    ...policySet,
    rules: cut.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
    isolations,
    groups: [...named.groups, ...groups],
  };
  const isOpen = options.mode === "audit" && target.audit === "open";
  if (isOpen) {
    const text = `${target.name} has no audit mode of its own: the audit files isolate nobody, they only show which rule allows what.`;
    losses.push({ ruleId: "isolation", kind: "dropped", text });
  }
  return {
    expressed: { policySet: isOpen ? { ...expressed, isolations: [] } : expressed, unenforced },
    // What passes unjudged is no rule that anybody could write.
    written: { ...expressed, rules: expressed.rules.filter((rule) => rule.id !== UNJUDGED) },
    losses: sortLosses(losses),
    selection: { ...selectionOf(expressed, inventory), ...means },
  };
}
