import { gatherFaults } from "../manifest/manifest-error.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import type { ClusterPolicy, KubernetesPolicies, NetworkPolicy } from "./network-policy.js";
import {
  parseAdminNetworkPolicy,
  parseBaselineAdminNetworkPolicy,
  parseClusterNetworkPolicy,
} from "./parse-cluster-policy.js";
import { parseNetworkPolicy } from "./parse-network-policy.js";
import { duplicateNames } from "./resources.js";

/** The kinds that this format reads, by the API versions in which they mean the same. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  NetworkPolicy: ["networking.k8s.io/v1", "extensions/v1beta1"],
  AdminNetworkPolicy: ["policy.networking.k8s.io/v1alpha1"],
  BaselineAdminNetworkPolicy: ["policy.networking.k8s.io/v1alpha1"],
  ClusterNetworkPolicy: ["policy.networking.k8s.io/v1alpha2"],
};

/** API groups of planes that enforce policies; an object of theirs must not be passed over in silence. */
const POLICY_GROUPS = ["policy.networking.k8s.io", "cilium.io", "projectcalico.org", "crd.projectcalico.org"];

const POLICY_KIND = /(NetworkPolicy|NetworkPolicies|AuthorizationPolicy)$/;

/** Whether the object is a policy for the pods' network, of whatever plane. */
function isPolicy({ apiVersion, kind }: ManifestObject): boolean {
  const group = apiVersion.split("/")[0] ?? "";
  return Object.hasOwn(VERSIONS, kind) || POLICY_KIND.test(kind) || group === POLICY_GROUPS[0];
}

function checkVersion(object: ManifestObject): void {
  const versions = VERSIONS[object.kind];
  if (versions?.includes(object.apiVersion)) return;
  const complaint = `Cannot read ${formatObject(object)} of ${object.apiVersion}`;
  const wanted = versions?.join(" or ") ?? `a policy of Kubernetes, one of ${Object.keys(VERSIONS).join(", ")}`;
  throw object.node.get(versions === undefined ? "kind" : "apiVersion")!.error(`${complaint}: wanted ${wanted}`);
}

function refuseDuplicates(objects: readonly ManifestObject[], isClusterWide: boolean): void {
  gatherFaults(
    [...duplicateNames(objects, isClusterWide)].map((fault) => () => {
      throw fault;
    }),
  );
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Two policies of one tier and priority: Kubernetes does not say which is asked first, so neither can we. */
function refuseEqualPriorities(policies: readonly ClusterPolicy[], objects: readonly ManifestObject[]): void {
  const taken = new Map<string, ClusterPolicy>();
  gatherFaults(
    policies.map((policy, i) => () => {
      const key = `${policy.kind} ${policy.tier} ${policy.priority}`;
      const other = taken.get(key);
      taken.set(key, policy);
      if (other === undefined || policy.kind === "BaselineAdminNetworkPolicy") return;
      throw objects[i]!.node.error(
        `Cannot order ${policy.kind} ${policy.name}: wanted a priority other than ${policy.priority}, which ${other.name} has`,
      );
    }),
  );
}

/**
 * The policies among the objects of a cluster, with all defaults applied.
 * @throws {ManifestErrors} With every field that Kubernetes does not know or allow, policies of other planes, names and
 * priorities used twice.
 */
export function parseKubernetesPolicies(objects: readonly ManifestObject[]): KubernetesPolicies {
  const policies = objects.filter(isPolicy);
  gatherFaults(policies.map((object) => () => checkVersion(object)));
  const namespaced = policies.filter((object) => object.kind === "NetworkPolicy");
  const clusterWide = policies.filter((object) => object.kind !== "NetworkPolicy");
  refuseDuplicates(namespaced, false);
  refuseDuplicates(clusterWide, true);
  const networkPolicies: NetworkPolicy[] = gatherFaults(namespaced.map((object) => () => parseNetworkPolicy(object)));
  const clusterPolicies = gatherFaults(
    clusterWide.map((object) => () => {
      if (object.kind === "AdminNetworkPolicy") return parseAdminNetworkPolicy(object);
      if (object.kind === "ClusterNetworkPolicy") return parseClusterNetworkPolicy(object);
      return parseBaselineAdminNetworkPolicy(object);
    }),
  );
  refuseEqualPriorities(clusterPolicies, clusterWide);
  return {
    networkPolicies: networkPolicies.sort((a, b) =>
      byName({ name: `${a.namespace}/${a.name}` }, { name: `${b.namespace}/${b.name}` }),
    ),
    clusterPolicies: clusterPolicies.sort(
      (a, b) => byName({ name: a.tier }, { name: b.tier }) || a.priority - b.priority || byName(a, b),
    ),
  };
}
