import { ALL_ENDS, allOf, type EndSet } from "../../decision/end-set.js";
import type { Closure, Direction, Entry, ServiceMatch, Stage } from "../../decision/program.js";
import { mergeIntervals, servicePoint, subtractIntervals } from "../../decision/service-line.js";
import type { ClusterService } from "../kubernetes/parse-service.js";
import type { CalicoPolicy, CalicoProfile, CalicoRule, CalicoTier, RuleServices } from "./calico-policy.js";
import type { Endpoints } from "./endpoints.js";

/** Everything that Calico's policies speak of. */
export interface CalicoWorld {
  readonly endpoints: Endpoints;
  readonly services: ReadonlyMap<string, ClusterService>; // by "namespace/name"
  readonly profiles: ReadonlyMap<string, CalicoProfile>;
  readonly profilesOf: ReadonlyMap<string, readonly string[]>; // names, by workload
  readonly hosts: ReadonlySet<string>; // workloads that are host endpoints
}

function formatPolicy({ kind, namespace, name }: CalicoPolicy): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** A rule's match on services, for all ends or for some workloads that serve a port by name. */
interface ServicePart {
  readonly servers: EndSet;
  readonly services: ServiceMatch;
}

/** Takes named ports that must not match out again: for each server the number that the name has there. */
function partsOfServices(services: RuleServices, endpoints: Endpoints): ServicePart[] {
  const { intervals, named, notNamed } = services;
  if (notNamed.length === 0) return [{ servers: ALL_ENDS, services: { intervals, named } }];
  const groups = new Map<string, string[]>();
  for (const workload of endpoints.cluster.inventory.workloads) {
    const numbers = (workload.namedPorts ?? [])
      .filter((port) => notNamed.some(({ name, protocol }) => name === port.name && protocol === port.protocol))
      .map((port) => servicePoint(port.protocol, port.port));
    if (numbers.length === 0) continue;
    const key = [...new Set(numbers)].sort((a, b) => a - b).join();
    groups.set(key, [...(groups.get(key) ?? []), workload.id]);
  }
  const parts = [...groups].map(([key, workloads]): ServicePart => {
    const taken = key.split(",").map((point) => ({ first: Number(point), last: Number(point) }));
    const left = subtractIntervals(intervals, mergeIntervals(taken));
    return { servers: { kind: "listed", workloads }, services: { intervals: left, named } };
  });
  const serving: EndSet = { kind: "listed", workloads: [...groups.values()].flat() };
  return [...parts, { servers: { kind: "not", set: serving }, services: { intervals, named } }];
}

/** A Service as a peer: its pods, at the ports that it leads to. */
function partsOfService(service: ClusterService | undefined): ServicePart[] {
  if (service === undefined) return [];
  const servers: EndSet = { kind: "listed", workloads: service.workloads };
  return service.ports.map(({ protocol, port, named }) => {
    const point = port === undefined ? undefined : servicePoint(protocol, port);
    const intervals = point === undefined ? [] : [{ first: point, last: point }];
    return { servers, services: { intervals, named: named === undefined ? [] : [named] } };
  });
}

interface RuleHome {
  readonly subjects: EndSet;
  readonly namespace: string | undefined;
  readonly source: Entry["source"];
}

/**
 * The entries of one rule. The side that the policy governs may be narrowed by the rule too. What also depends on HTTP or on
 * source ports is shown as if it did not, where it allows; where it denies or passes it is left out: so "allowed" means that
 * some such traffic may pass.
 */
function entriesOfRule(
  rule: CalicoRule,
  rank: number,
  direction: Direction,
  home: RuleHome,
  world: CalicoWorld,
): Entry[] {
  if (rule.action === "log") return [];
  if (rule.narrowedBy !== undefined && rule.action !== "allow") return [];
  const { endpoints, services } = world;
  const near = direction === "ingress" ? rule.destination : rule.source;
  const far = direction === "ingress" ? rule.source : rule.destination;
  const subjects = allOf([home.subjects, endpoints.matching(near, home.namespace, rule.ipVersion)]);
  const peers = endpoints.matching(far, home.namespace, rule.ipVersion);
  const of = rule.destination.service;
  const parts =
    of === undefined
      ? partsOfServices(rule.services, endpoints)
      : partsOfService(services.get(`${of.namespace ?? home.namespace ?? "default"}/${of.name}`));
  const note = rule.narrowedBy === undefined ? "" : ` (narrower than shown: ${rule.narrowedBy})`;
  const source = { policy: home.source.policy, rule: `${home.source.rule}${note}` };
  const { action } = rule;
  return parts.map(({ servers, services: spoken }) => ({
    rank,
    subjects: direction === "ingress" ? allOf([subjects, servers]) : subjects,
    peers: direction === "egress" ? allOf([peers, servers]) : peers,
    services: spoken,
    action,
    source,
  }));
}

/** Policies in the order in which a tier asks them: by order, then by name. */
export function compareCalicoPolicies(a: CalicoPolicy, b: CalicoPolicy): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  const [one, other] = [`${a.name}/${a.namespace ?? ""}`, `${b.name}/${b.namespace ?? ""}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Where Kubernetes' own policies stand in tier `default`. */
const KUBERNETES = { order: 1000, name: "knp.default." };

/**
 * All policies of a tier for one direction; whoever is governed by one of them meets the tier's default action at the end.
 * `kubernetes` are the policies that Kubernetes itself adds to the tier.
 */
export function stageOfTier(
  tier: CalicoTier,
  policies: readonly CalicoPolicy[],
  direction: Direction,
  world: CalicoWorld,
  kubernetes?: Stage,
): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  let rank = 0;
  let isKubernetesAsked = kubernetes === undefined;
  const askKubernetes = () => {
    isKubernetesAsked = true;
    const from = rank++;
    for (const entry of kubernetes?.entries ?? []) entries.push({ ...entry, rank: from });
    closures.push(...(kubernetes?.closures ?? []));
  };
  for (const policy of [...policies].sort(compareCalicoPolicies)) {
    if (policy.tier !== tier.name || !policy.directions.includes(direction)) continue;
    const { order, name } = policy;
    const isLater = order > KUBERNETES.order || (order === KUBERNETES.order && name > KUBERNETES.name);
    if (!isKubernetesAsked && isLater) askKubernetes();
    const subjects = world.endpoints.governedBy(policy, world.hosts);
    const full = formatPolicy(policy);
    const short = policy.namespace === undefined ? name : `${policy.namespace}/${name}`;
    if (tier.defaultAction === "deny") closures.push({ subjects, source: { policy: full, rule: "" } });
    for (const rule of policy[direction]) {
      const source = { policy: full, rule: `${short} ${rule.name}` };
      entries.push(...entriesOfRule(rule, rank++, direction, { subjects, namespace: policy.namespace, source }, world));
    }
  }
  if (!isKubernetesAsked) askKubernetes();
  return { name: `tier ${tier.name}`, entries, closures };
}

/**
 * What is left when no tier decides: the rules of the endpoint's profiles, in their order, and else no. A pod without a profile of
 * its own has its namespace's, which allows everything; a host endpoint without one is closed.
 */
export function stageOfProfiles(direction: Direction, world: CalicoWorld): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  let rank = 0;
  for (const [workload, names] of world.profilesOf) {
    const subjects: EndSet = { kind: "listed", workloads: [workload] };
    closures.push({
      subjects,
      source: { policy: names.length === 0 ? "no profile" : `Profile ${names.join(", ")}`, rule: "" },
    });
    for (const name of names) {
      for (const rule of world.profiles.get(name)?.[direction] ?? []) {
        const home = {
          subjects,
          namespace: undefined,
          source: { policy: `Profile ${name}`, rule: `${name} ${rule.name}` },
        };
        entries.push(...entriesOfRule(rule, rank++, direction, home, world));
      }
    }
  }
  return { name: "the profiles", entries, closures };
}
