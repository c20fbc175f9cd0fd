import { type AddressRange, parseCidr, rangeOfCidr } from "../../../model/cidr.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { Workload } from "../../../model/workload.js";
import { ALL_ADDRESSES, mergeRanges, rangesContain, subtractRanges } from "../../address-ranges.js";
import type { AllowRule } from "../../allow-rule.js";
import type { Peer } from "../../peer.js";
import type { PolicySet } from "../../policy-set.js";
import { currentRanges, type Selection } from "../../selection.js";
import type { Service } from "../../service.js";
import type { HostExpression } from "./express-for-hosts.js";
import { lifelineTexts } from "./lifeline-text.js";
import { type Permit, type PermitBox, permitBoxes } from "./permit-boxes.js";

/**
 * What the host itself receives and sends, and what it forwards: from workloads behind it, such as its containers, and to
 * them. A packet between two of them is asked about twice.
 */
export const HOST_DIRECTIONS = ["in", "out", "from", "to"] as const;
export type HostDirection = (typeof HOST_DIRECTIONS)[number];

/** What the third and fourth part of an element are: protocol and port, ICMP type and code, or a protocol alone. */
export type PermitKind = "ports" | "icmp" | "protocol";

/**
 * One kernel set. `first` and `last` of its boxes count on the axis of the kind:
 *
 *     ports      protocol << 16 | port
 *     icmp       type << 8 | code
 *     protocol   protocol
 */
export interface PermitSet {
  readonly direction: HostDirection;
  readonly family: 4 | 6;
  readonly kind: PermitKind;
  readonly boxes: readonly PermitBox[]; // disjoint, sorted by service, local, remote
}

/** Whom a host judges among those whose packets it forwards. */
export interface BehindSet {
  readonly direction: "from" | "to";
  readonly family: 4 | 6;
  readonly ranges: readonly AddressRange[]; // not empty, merged
}

/** What one host's kernel is to hold of one policy set, as data: the same for audit and deny. */
export interface HostRuleset {
  readonly workload: string; // id
  readonly policySet: string;
  readonly generation: number;
  readonly directions: readonly HostDirection[]; // in which something is isolated, in the order of HOST_DIRECTIONS
  readonly permits: readonly PermitSet[]; // those that are not empty
  readonly behind: readonly BehindSet[]; // for each forwarded direction of `directions`
}

/** All that one host's kernel is to hold. A packet passes if any of the policy sets permits it. */
export interface TablePlan {
  readonly workload: string; // id
  readonly scopes: readonly HostRuleset[]; // by name of their policy sets
  readonly lifelines: readonly string[]; // rules that no policy changes
  /** Whether a port of this host may be translated to an address that is not one of `behind`. */
  readonly isPublishing: boolean;
  readonly behind: readonly AddressRange[]; // of all whose traffic this host forwards, isolated or not; merged
}

const MULTICAST: readonly AddressRange[] = ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"].map((text) =>
  rangeOfCidr(parseCidr(text)),
);

interface Part {
  readonly kind: PermitKind;
  readonly families: readonly (4 | 6)[];
  readonly first: number;
  readonly last: number;
}

function partsOf(service: Service): Part[] {
  switch (service.kind) {
    case "any":
      return [{ kind: "protocol", families: [4, 6], first: 0, last: 255 }];
    case "protocol":
      return [{ kind: "protocol", families: [4, 6], first: service.protocol, last: service.protocol }];
    case "ports": {
      const base = PROTOCOL_NUMBERS[service.protocol] << 16;
      return [{ kind: "ports", families: [4, 6], first: base | service.ports.first, last: base | service.ports.last }];
    }
    case "icmp": {
      const families = [service.protocol === "icmp" ? 4 : 6] as const;
      const types = service.type === undefined ? [0, 255] : [service.type, service.type];
      if (service.code === undefined) {
        return [{ kind: "icmp", families, first: types[0]! << 8, last: (types[1]! << 8) | 255 }];
      }
      const parts: Part[] = [];
      for (let type = types[0]!; type <= types[1]!; type++) {
        const point = (type << 8) | service.code;
        parts.push({ kind: "icmp", families, first: point, last: point });
      }
      return parts;
    }
  }
}

/**
 * The addresses at the host for which a rule that ends in `near` speaks. Where the rule means the workload these are all:
 * the host's table judges nothing else, and an address that the inventory does not know yet is the same workload. Of
 * other addresses only multicast and broadcast arrive here.
 */
function localsOf(near: Peer, workload: Workload, selection: Selection): readonly AddressRange[] {
  if (near.kind === "any") return ALL_ADDRESSES;
  if (near.kind === "workloads") {
    return selection.isSelected(near.selector, workload) ? ALL_ADDRESSES : [];
  }
  const ranges = selection.rangesOf(near) ?? [];
  const isHere = currentRanges(workload).some(({ family, first, last }) => {
    for (let value = first; value <= last; value++) if (rangesContain(ranges, family, value)) return true;
    return false;
  });
  if (isHere) return ranges;
  const notMulticast = subtractRanges(ranges, MULTICAST);
  return subtractRanges(ranges, notMulticast);
}

/** The addresses of one that is behind the host, as far as a rule that ends in `near` speaks for them. */
function localsBehind(near: Peer, workload: Workload, selection: Selection): readonly AddressRange[] {
  const own = currentRanges(workload);
  if (near.kind === "any") return own;
  if (near.kind === "workloads") return selection.isSelected(near.selector, workload) ? own : [];
  return subtractRanges(own, subtractRanges(own, selection.rangesOf(near) ?? []));
}

function isIsolated(
  workload: Workload,
  direction: "ingress" | "egress",
  { isolations }: PolicySet,
  selection: Selection,
): boolean {
  return isolations.some(
    (isolation) => isolation.direction === direction && selection.isSelected(isolation.selector, workload),
  );
}

/** The workload whose kernel sees the traffic of this one: a host that nobody knows is none. */
function hostOf(workload: Workload, workloads: ReadonlySet<string>): string {
  return workload.host !== undefined && workloads.has(workload.host) ? workload.host : workload.id;
}

const ENDS = { in: "ingress", to: "ingress", out: "egress", from: "egress" } as const;

const ISOLATED = new WeakMap<HostExpression, ReadonlyMap<string, readonly Workload[]>>();

/** Isolated workloads by the host that sees their traffic. */
function isolatedByHost(expression: HostExpression): ReadonlyMap<string, readonly Workload[]> {
  const known = ISOLATED.get(expression);
  if (known !== undefined) return known;
  const {
    expressed: { policySet },
    selection,
  } = expression;
  const ids = new Set(selection.workloads.map(({ id }) => id));
  const byHost = new Map<string, Workload[]>();
  for (const workload of selection.workloads) {
    const isJudged = (["ingress", "egress"] as const).some((end) => isIsolated(workload, end, policySet, selection));
    if (!isJudged || currentRanges(workload).length === 0) continue;
    const host = hostOf(workload, ids);
    const list = byHost.get(host);
    if (list === undefined) byHost.set(host, [workload]);
    else list.push(workload);
  }
  ISOLATED.set(expression, byHost);
  return byHost;
}

/** Every workload whose kernel has something to judge: for itself, or for others behind it. By id. */
export function isolatedHosts(expression: HostExpression): Workload[] {
  const byHost = isolatedByHost(expression);
  return expression.selection.workloads.filter(({ id }) => byHost.has(id));
}

interface Side {
  readonly direction: HostDirection;
  /** The addresses at our end for which a rule that ends in `near` speaks. */
  readonly locals: (near: Peer) => readonly AddressRange[];
}

const FAMILIES = [4, 6] as const;

/** What the kernel of `workload` is to hold of one policy set; without directions when that is nothing. */
export function hostRuleset(expression: HostExpression, workload: Workload): HostRuleset {
  const { rules, selection } = expression;
  const { policySet } = expression.expressed;
  const judged = isolatedByHost(expression).get(workload.id) ?? [];
  const sides: Side[] = [];
  const behind: BehindSet[] = [];
  for (const direction of HOST_DIRECTIONS) {
    const isolated = judged.filter((each) => isIsolated(each, ENDS[direction], policySet, selection));
    if (direction === "in" || direction === "out") {
      if (isolated.includes(workload)) {
        sides.push({ direction, locals: (near) => localsOf(near, workload, selection) });
      }
      continue;
    }
    const others = isolated.filter((each) => each !== workload);
    if (others.length === 0) continue;
    sides.push({ direction, locals: (near) => mergeRanges(others.flatMap((w) => localsBehind(near, w, selection))) });
    const all = mergeRanges(others.flatMap(currentRanges));
    for (const family of FAMILIES) {
      const ranges = all.filter((range) => range.family === family);
      if (ranges.length > 0) behind.push({ direction, family, ranges });
    }
  }
  return {
    workload: workload.id,
    policySet: policySet.name,
    generation: policySet.generation,
    directions: sides.map(({ direction }) => direction),
    permits: permitSets(rules, sides, selection),
    behind,
  };
}

function permitSets(rules: readonly AllowRule[], sides: readonly Side[], selection: Selection): PermitSet[] {
  const drafts = new Map<string, { set: Omit<PermitSet, "boxes">; permits: Permit[] }>();
  for (const { direction, locals } of sides) {
    for (const rule of rules) {
      const isIngress = ENDS[direction] === "ingress";
      const here = locals(isIngress ? rule.server : rule.client);
      if (here.length === 0) continue;
      const there = selection.rangesOf(isIngress ? rule.client : rule.server) ?? [];
      const parts = rule.services.flatMap(partsOf);
      for (const family of FAMILIES) {
        const ofFamily = (range: AddressRange) => range.family === family;
        const remotes = there.filter(ofFamily);
        const near = remotes.length === 0 ? [] : here.filter(ofFamily);
        if (near.length === 0) continue;
        for (const { kind, families, first, last } of parts) {
          if (!families.includes(family)) continue;
          const key = `${direction}${family}${kind}`;
          const draft = drafts.get(key) ?? { set: { direction, family, kind }, permits: [] };
          draft.permits.push({ rule: rule.id, remotes, locals: near, first, last });
          drafts.set(key, draft);
        }
      }
    }
  }
  return [...drafts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { set, permits }]): PermitSet => ({ ...set, boxes: permitBoxes(set.family, permits) }));
}

/** One host's table for policy sets over one inventory; those that isolate nothing there are left out. */
export function tablePlan(
  expressions: readonly HostExpression[],
  workload: Workload,
  { isPublishing }: { isPublishing: boolean },
): TablePlan {
  const scopes = expressions
    .map((expression) => hostRuleset(expression, workload))
    .filter(({ directions }) => directions.length > 0)
    .sort((a, b) => (a.policySet < b.policySet ? -1 : 1));
  const [first] = expressions;
  const lifelines = first === undefined ? [] : lifelineTexts(first.lifelines, first.selection);
  const behind = (first?.selection.workloads ?? []).filter(({ host }) => host === workload.id);
  return {
    workload: workload.id,
    scopes,
    lifelines,
    isPublishing,
    behind: mergeRanges(behind.flatMap(currentRanges)),
  };
}
