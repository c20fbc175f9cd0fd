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
import { type Permit, type PermitBox, permitBoxes } from "./permit-boxes.js";

export type HostDirection = "in" | "out";

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

/** What one host's kernel is to hold, as data: the same for audit and deny. */
export interface HostRuleset {
  readonly workload: string; // id
  readonly policySet: string;
  readonly generation: number;
  readonly directions: readonly HostDirection[]; // which of them are isolated
  readonly permits: readonly PermitSet[]; // those that are not empty
  readonly lifelines: readonly AllowRule[];
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
  const ranges = selection.rangesOf(near) ?? [];
  if (near.kind === "any") return ranges;
  if (near.kind === "workloads") {
    return selection.isSelected(near.selector, workload) ? ALL_ADDRESSES : [];
  }
  const isHere = currentRanges(workload).some(({ family, first, last }) => {
    for (let value = first; value <= last; value++) if (rangesContain(ranges, family, value)) return true;
    return false;
  });
  if (isHere) return ranges;
  const notMulticast = subtractRanges(ranges, MULTICAST);
  return subtractRanges(ranges, notMulticast);
}

function directionsOf(workload: Workload, policySet: PolicySet, selection: Selection): HostDirection[] {
  const isIsolated = (direction: "ingress" | "egress") =>
    policySet.isolations.some(
      (isolation) => isolation.direction === direction && selection.isSelected(isolation.selector, workload),
    );
  return [...(isIsolated("ingress") ? (["in"] as const) : []), ...(isIsolated("egress") ? (["out"] as const) : [])];
}

/** The ruleset of the host that is `workload`. */
export function hostRuleset(expression: HostExpression, workload: Workload): HostRuleset {
  const { rules, lifelines, selection } = expression;
  const { policySet } = expression.expressed;
  const directions = directionsOf(workload, policySet, selection);
  const drafts = new Map<string, { set: Omit<PermitSet, "boxes">; permits: Permit[] }>();
  for (const direction of directions) {
    for (const rule of rules) {
      const [near, far] = direction === "in" ? [rule.server, rule.client] : [rule.client, rule.server];
      const locals = localsOf(near, workload, selection);
      if (locals.length === 0) continue;
      const remotes = mergeRanges(selection.rangesOf(far) ?? []);
      for (const { kind, families, first, last } of rule.services.flatMap(partsOf)) {
        for (const family of families) {
          const ofFamily = (range: AddressRange) => range.family === family;
          const permit = {
            rule: rule.id,
            remotes: remotes.filter(ofFamily),
            locals: locals.filter(ofFamily),
            first,
            last,
          };
          if (permit.remotes.length === 0 || permit.locals.length === 0) continue;
          const key = `${direction}${family}${kind}`;
          const draft = drafts.get(key) ?? { set: { direction, family, kind }, permits: [] };
          draft.permits.push(permit);
          drafts.set(key, draft);
        }
      }
    }
  }
  const permits = [...drafts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { set, permits }]): PermitSet => ({ ...set, boxes: permitBoxes(set.family, permits) }));
  return {
    workload: workload.id,
    policySet: policySet.name,
    generation: policySet.generation,
    directions,
    permits,
    lifelines,
  };
}

/** Every workload that some isolation selects and that has an address, by id. */
export function isolatedHosts({ expressed: { policySet }, selection }: HostExpression): Workload[] {
  return selection.workloads.filter(
    (workload) => currentRanges(workload).length > 0 && directionsOf(workload, policySet, selection).length > 0,
  );
}
