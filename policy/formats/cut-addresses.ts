import { formatAddress } from "../../model/address.js";
import type { AddressRange } from "../../model/cidr.js";
import type { AddressGroup, Workload } from "../../model/workload.js";
import { cidrTexts, rangesContain, rangesOfCidrs, subtractRanges } from "../address-ranges.js";
import type { AllowRule } from "../allow-rule.js";
import type { Loss } from "../bundle.js";
import type { Peer } from "../peer.js";
import type { Isolation } from "../policy-set.js";
import { addressRanges } from "../selection.js";
import { listed } from "./listed.js";
import { familiesOf, type PodsSelection, podSelectionsAt, podsInside } from "./pod-policies.js";

/** What is left of one end of a rule. */
export interface CutEnd {
  readonly peer: Peer;
  readonly group?: AddressGroup; // that the peer now refers to
  readonly loss?: Loss;
}

/** Pods with an address in `ranges` that no selector for them reaches. */
function missedPods(
  rule: AllowRule,
  end: "client" | "server",
  ranges: readonly AddressRange[],
  isolations: readonly Isolation[],
  selection: PodsSelection,
): Workload[] {
  const far = rule[end === "client" ? "server" : "client"];
  const direction = end === "client" ? "egress" : "ingress";
  const families = familiesOf(far, selection);
  const touched = new Set(
    selection.workloads.filter(
      (workload) =>
        selection.isPod(workload) &&
        addressRanges(workload).some(
          ({ family, first }) => families.includes(family) && rangesContain(ranges, family, first),
        ),
    ),
  );
  if (touched.size === 0) return [];
  const without = (some: readonly Workload[], reached: readonly { workloads: readonly Workload[] }[]) => {
    const found = new Set(reached.flatMap(({ workloads }) => workloads));
    return some.filter((workload) => touched.has(workload) && !found.has(workload));
  };
  const isolated = isolations
    .filter((isolation) => isolation.direction === direction)
    .flatMap((isolation) =>
      without(selection.select(isolation.selector), podSelectionsAt(rule[end], far, isolation, selection)),
    );
  const asPeers = selection.addressesMean === "anyone" ? [] : without([...touched], podsInside(ranges, selection));
  return [...new Set([...isolated, ...asPeers])].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * A rule that names pods by address must reach them by label. Where labels cannot single a pod out, its addresses leave
 * the rule: less is allowed, never more.
 */
export function cutAddresses(
  rule: AllowRule,
  end: "client" | "server",
  isolations: readonly Isolation[],
  selection: PodsSelection,
): CutEnd {
  const peer = rule[end];
  if (peer.kind !== "cidr" && peer.kind !== "group") return { peer };
  const ranges = selection.rangesOf(peer) ?? [];
  const missed = missedPods(rule, end, ranges, isolations, selection);
  if (missed.length === 0) return { peer };
  const holes = missed.flatMap((workload) => addressRanges(workload));
  const left = subtractRanges(ranges, holes);
  const text = `The rule names its ${end}s by address; labels cannot single out ${listed(missed.map(({ id }) => id))}, so they are left out.`;
  const packets = holes.map((range) => ({
    client: rule.client,
    server: rule.server,
    [end]: { kind: "cidr" as const, cidr: formatAddress({ family: range.family, value: range.first }), except: [] },
    services: rule.services,
  }));
  const loss: Loss = { ruleId: rule.id, kind: "dropped", text, packets };
  if (peer.kind === "cidr" && left.length > 0) {
    const outer = rangesOfCidrs([peer.cidr]);
    const cut: Peer = { ...peer, except: cidrTexts(subtractRanges(outer, left)) };
    return { peer: cut, loss };
  }
  const group: AddressGroup = { name: `${rule.id} ${end}s that labels reach`, cidrs: cidrTexts(left) };
  const cut: Peer = { kind: "group", name: group.name };
  return { peer: cut, group, loss };
}
