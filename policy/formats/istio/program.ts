import { EVERYTHING, selectorOfLabels } from "../../../model/label-selector.js";
import type { Workload } from "../../../model/workload.js";
import { ALL_ENDS, allOf, anyOf, type EndSet } from "../../decision/end-set.js";
import type { Closure, Entry, ServiceMatch, Stage } from "../../decision/program.js";
import {
  ALL_SERVICES,
  complementIntervals,
  intersectIntervals,
  intervalsOfService,
  mergeIntervals,
  type ServiceInterval,
  servicePoint,
  subtractIntervals,
} from "../../decision/service-line.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { selectorOfNamespace } from "../kubernetes/parse-network-policy.js";
import type { ClusterService } from "../kubernetes/parse-service.js";
import type { AuthorizationPolicy, AuthorizationRule, Operation, Source, TextMatch } from "./authorization-policy.js";

/** Istio judges TCP; everything else passes by. */
const TCP = intervalsOfService({ kind: "protocol", protocol: 6 });

/** The names that a mesh goes by. */
export interface Mesh {
  readonly rootNamespace: string; // its policies are for every namespace
  readonly trustDomain: string;
}

export const DEFAULT_MESH: Mesh = { rootNamespace: "istio-system", trustDomain: "cluster.local" };

/** `*` alone matches what is there at all, at one end it stands for any text. */
function matchesText(pattern: string, text: string): boolean {
  if (pattern === "*") return text !== "";
  if (pattern.startsWith("*")) return text.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** The ends whose `identity` matches. Without mTLS there is none: plaintext meets no demand, and slips by every negated one. */
function endsByIdentity(match: TextMatch, cluster: Cluster, identity: (workload: Workload) => string): EndSet[] {
  const listed = (patterns: readonly string[]): EndSet => ({
    kind: "listed",
    workloads: cluster.inventory.workloads
      .filter((workload) => patterns.some((pattern) => matchesText(pattern, identity(workload))))
      .map(({ id }) => id),
  });
  return [
    ...(match.values.length === 0 ? [] : [listed(match.values)]),
    ...(match.notValues.length === 0 ? [] : [{ kind: "not", set: listed(match.notValues) } as const]),
  ];
}

function endsByAddress(match: TextMatch): EndSet[] {
  const inside = (cidrs: readonly string[]): EndSet => ({ kind: "addresses", cidrs, of: "anyone" });
  return [
    ...(match.values.length === 0 ? [] : [inside(match.values)]),
    ...(match.notValues.length === 0 ? [] : [{ kind: "not", set: inside(match.notValues) } as const]),
  ];
}

function endsOfSource(source: Source, cluster: Cluster, { trustDomain }: Mesh): EndSet {
  const account = ({ serviceAccount }: Workload) => serviceAccount ?? "default";
  const parts = [
    ...endsByIdentity(source.principals, cluster, (w) => `${trustDomain}/ns/${w.namespace}/sa/${account(w)}`),
    ...endsByIdentity(source.trustDomains, cluster, () => trustDomain),
    ...endsByIdentity(source.namespaces, cluster, (w) => w.namespace),
    ...endsByIdentity(source.serviceAccounts, cluster, (w) => `${w.namespace}/${account(w)}`),
    ...endsByAddress(source.ipBlocks),
  ];
  return parts.length === 0 ? ALL_ENDS : allOf(parts);
}

function intervalsOfPorts(ports: readonly number[]): readonly ServiceInterval[] {
  const points = ports.map((port) => servicePoint(6, port));
  return mergeIntervals(points.map((point) => ({ first: point, last: point })));
}

function servicesOfOperation({ ports, notPorts }: Operation): readonly ServiceInterval[] {
  const wanted = ports === undefined ? TCP : intervalsOfPorts(ports);
  return subtractIntervals(wanted, intervalsOfPorts(notPorts));
}

function servicesOfRule(rule: AuthorizationRule): ServiceMatch {
  const asked = rule.operations?.map(servicesOfOperation) ?? [TCP];
  const intervals = rule.conditionPorts
    .map(servicesOfOperation)
    .reduce<readonly ServiceInterval[]>(intersectIntervals, mergeIntervals(asked.flat()));
  return { intervals, named: [] };
}

/** The workloads that a policy is for. A waypoint's policies are for those behind what they refer to. */
function subjectsOf(policy: AuthorizationPolicy, services: ReadonlyMap<string, ClusterService>, mesh: Mesh): EndSet {
  const namespaces = policy.namespace === mesh.rootNamespace ? EVERYTHING : selectorOfNamespace(policy.namespace);
  const select = (labels: Readonly<Record<string, string>>): EndSet => ({
    kind: "selected",
    selector: { namespaces, labels: selectorOfLabels(labels), serviceAccounts: [] },
  });
  if (policy.targets.length === 0) return select(policy.selector);
  return anyOf(
    policy.targets.map(({ kind, name }): EndSet => {
      if (kind === "Gateway") return select({ "gateway.networking.k8s.io/gateway-name": name });
      if (kind !== "Service") return { kind: "listed", workloads: [] };
      return { kind: "listed", workloads: services.get(`${policy.namespace}/${name}`)?.workloads ?? [] };
    }),
  );
}

const RANKS = { DENY: 1, ALLOW: 2 } as const;

/**
 * DENY before ALLOW; whoever has an ALLOW policy is closed but for what one of them matches, and what matches passes on to the
 * network below. Rules that also look at the request are shown as if they did not where they allow, and are left out where they
 * deny, as are CUSTOM (another program decides) and AUDIT (which only takes notes): "allowed" means that some such request may pass.
 */
export function authorizationStage(
  name: string,
  policies: readonly AuthorizationPolicy[],
  cluster: Cluster,
  services: ReadonlyMap<string, ClusterService>,
  mesh: Mesh,
): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  for (const policy of policies) {
    const { action } = policy;
    if (action !== "ALLOW" && action !== "DENY") continue;
    const full = `AuthorizationPolicy ${policy.namespace}/${policy.name}`;
    const subjects = subjectsOf(policy, services, mesh);
    if (action === "ALLOW") closures.push({ subjects, source: { policy: full, rule: "" } });
    for (const rule of policy.rules) {
      const isNarrowed = rule.narrowedBy.length > 0;
      if (isNarrowed && action === "DENY") continue;
      const note = isNarrowed ? ` (narrower than shown: ${rule.narrowedBy.join(", ")})` : "";
      const sources = rule.sources?.map((source) => endsOfSource(source, cluster, mesh));
      const conditions = rule.conditions.map((source) => endsOfSource(source, cluster, mesh));
      entries.push({
        rank: RANKS[action],
        subjects: allOf([subjects, ...rule.serverAddresses.flatMap(endsByAddress)]),
        peers: allOf([sources === undefined ? ALL_ENDS : anyOf(sources), ...conditions]),
        services: servicesOfRule(rule),
        action: action === "DENY" ? "deny" : "pass",
        source: { policy: full, rule: `${policy.namespace}/${policy.name} ${rule.name}${note}` },
      });
    }
  }
  const others = { intervals: intersectIntervals([ALL_SERVICES], complementIntervals(TCP)), named: [] };
  const source = { policy: "Istio", rule: "what is not TCP" };
  if (closures.length > 0) {
    entries.push({ rank: 0, subjects: ALL_ENDS, peers: ALL_ENDS, services: others, action: "pass", source });
  }
  return { name, entries, closures };
}
