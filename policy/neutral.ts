import { tryParseAddress } from "../model/address.js";
import type { AddressGroup, Inventory } from "../model/workload.js";
import type { AllowRule } from "./allow-rule.js";
import { ALL_ENDS, allOf, type EndSet } from "./decision/end-set.js";
import type { Closure, DirectionProgram, Entry, Program, ServiceMatch, Stage } from "./decision/program.js";
import { intervalsOfService, mergeIntervals } from "./decision/service-line.js";
import type { Peer } from "./peer.js";
import type { Isolation, PolicySet } from "./policy-set.js";
import type { Service } from "./service.js";

/** DNS names, lower case and without the last dot, with the addresses they resolve to. */
export type NameTable = ReadonlyMap<string, readonly string[]>;

const NO_NAMES: NameTable = new Map();

/** Whether `*` in the pattern, which stands for one label or a part of one, makes it the name. */
export function matchesNamePattern(pattern: string, name: string): boolean {
  const labels = pattern.toLowerCase().replace(/\.$/, "").split(".");
  const expression = labels.map((label) => label.split("*").map(escapeExpression).join("[^.]*")).join("\\.");
  return new RegExp(`^${expression}$`).test(name);
}

function escapeExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** The addresses of all names that match, sorted. */
export function resolvePattern(pattern: string, names: NameTable): string[] {
  const addresses = new Set<string>();
  for (const [name, resolved] of names) {
    if (!matchesNamePattern(pattern, name)) continue;
    for (const address of resolved) if (tryParseAddress(address) !== undefined) addresses.add(address);
  }
  return [...addresses].sort();
}

interface Surroundings {
  readonly groups: ReadonlyMap<string, AddressGroup>;
  readonly names: NameTable;
}

function endsOfPeer(peer: Peer, { groups, names }: Surroundings, ruleId: string): EndSet {
  switch (peer.kind) {
    case "any":
      return ALL_ENDS;
    case "workloads":
      return { kind: "selected", selector: peer.selector };
    case "cidr": {
      const inside: EndSet = { kind: "addresses", cidrs: [peer.cidr], of: "anyone" };
      if (peer.except.length === 0) return inside;
      return allOf([inside, { kind: "not", set: { kind: "addresses", cidrs: peer.except, of: "anyone" } }]);
    }
    case "group": {
      const group = groups.get(peer.name);
      if (group === undefined) {
        throw new RangeError(
          `Cannot resolve group "${peer.name}" of rule "${ruleId}": wanted a group of the policy set or the inventory`,
        );
      }
      return { kind: "addresses", cidrs: group.cidrs, of: "anyone" };
    }
    case "fqdn":
      return { kind: "addresses", cidrs: resolvePattern(peer.pattern, names), of: "anyone" };
  }
}

function servicesOf(services: readonly Service[]): ServiceMatch {
  return { intervals: mergeIntervals(services.flatMap(intervalsOfService)), named: [] };
}

/**
 * The meaning of a policy set: for each direction one stage in which every rule is an allow for whoever is at its near
 * end, and the isolations close the rest. Isolations in audit mode close only the trial, next to the same rules.
 * @throws {RangeError} If a rule names a group that neither the policy set nor the inventory has.
 */
export function programOfPolicySet(policySet: PolicySet, inventory: Inventory, names: NameTable = NO_NAMES): Program {
  const groups = new Map([...inventory.groups, ...policySet.groups].map((group) => [group.name, group]));
  const around = { groups, names };
  const policy = policySet.name;
  const ends = (rule: AllowRule) => ({
    client: endsOfPeer(rule.client, around, rule.id),
    server: endsOfPeer(rule.server, around, rule.id),
    services: servicesOf(rule.services),
    source: { policy, rule: rule.id },
  });
  const rules = policySet.rules.map(ends);
  const entries = (direction: Isolation["direction"]): Entry[] =>
    rules.map(({ client, server, services, source }) => {
      const [near, peers] = direction === "ingress" ? [server, client] : [client, server];
      return { rank: 0, subjects: near, peers, services, action: "allow", source };
    });
  const closures = (direction: Isolation["direction"], mode: Isolation["mode"]): Closure[] =>
    policySet.isolations
      .filter((isolation) => isolation.direction === direction && isolation.mode === mode)
      .map((isolation) => ({
        subjects: { kind: "selected", selector: isolation.selector },
        source: { policy, rule: "" },
      }));
  const direction = (of: Isolation["direction"]): DirectionProgram => {
    const shared = entries(of);
    const stage = (mode: Isolation["mode"]): Stage[] => {
      const closed = closures(of, mode);
      return closed.length === 0 ? [] : [{ name: policy, entries: shared, closures: closed }];
    };
    return { enforced: stage("deny"), trial: stage("audit") };
  };
  return { ingress: direction("ingress"), egress: direction("egress"), selfTraffic: "allowed" };
}
