import type { Labels } from "../../../model/label-selector.js";
import type { Direction, DirectionProgram, Program, Stage } from "../../decision/program.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { KubernetesPolicies, NetworkPolicy } from "../kubernetes/network-policy.js";
import { parseKubernetesPolicies } from "../kubernetes/parse.js";
import { parseNetworkPolicy } from "../kubernetes/parse-network-policy.js";
import { parseLabels } from "../kubernetes/parse-pod.js";
import { parseService } from "../kubernetes/parse-service.js";
import { type KubernetesPlane, networkPolicyStage, networkStage, nodeStage, tierStage } from "../kubernetes/program.js";
import { refuseMissingNamespaces } from "../kubernetes/read.js";
import { type ClusterManifests, duplicateNames, readCluster } from "../kubernetes/resources.js";
import { gatherFaults } from "../manifest/manifest-error.js";
import { formatObject, type ManifestFile, type ManifestObject } from "../manifest/manifest-objects.js";
import type { CalicoPolicy, CalicoProfile, CalicoTier } from "./calico-policy.js";
import { Endpoints } from "./endpoints.js";
import { type DeclaredEndpoint, parseHostEndpoint, parseWorkloadEndpoint } from "./parse-endpoint.js";
import {
  API_VERSIONS,
  BUILT_IN_TIERS,
  isStagedDeletion,
  POLICY_KINDS,
  parseCalicoPolicy,
  parseNetworkSet,
  parseProfile,
  parseTier,
} from "./parse-policy.js";
import { type CalicoWorld, stageOfProfiles, stageOfTier } from "./program.js";

/** Kinds of Calico's API that say nothing about who may talk to whom. */
const OTHER_KINDS = new Set([
  ...["BGPConfiguration", "BGPFilter", "BGPPeer", "BlockAffinity", "CalicoNodeStatus", "ClusterInformation"],
  ...["FelixConfiguration", "IPAMBlock", "IPAMConfig", "IPAMConfiguration", "IPAMHandle", "IPPool", "IPReservation"],
  ...["KubeControllersConfiguration", "Node"],
]);

/** Kinds of Calico's API that are read here besides its policies. */
const READ_KINDS = new Set([
  ...["GlobalNetworkSet", "HostEndpoint", "NetworkSet", "Profile", "StagedKubernetesNetworkPolicy", "Tier"],
  "WorkloadEndpoint",
]);

/** Calico's nets match any packet, whoever sends it, and so it reads `ipBlock`. */
const CALICO: KubernetesPlane = { ipBlocks: "anyone" };

export interface CalicoReading {
  readonly cluster: Cluster;
  readonly policies: readonly CalicoPolicy[];
  readonly program: Program;
}

function refuseUnknownKind(object: ManifestObject): void {
  if (POLICY_KINDS.includes(object.kind) || READ_KINDS.has(object.kind) || OTHER_KINDS.has(object.kind)) return;
  throw object.node
    .get("kind")!
    .error(`Cannot read kind "${object.kind}" of ${object.apiVersion}: wanted a kind of Calico`);
}

/** The cluster with the endpoints that Calico's own objects declare. */
function withEndpoints(cluster: Cluster, endpoints: readonly DeclaredEndpoint[]): Cluster {
  if (endpoints.length === 0) return cluster;
  const declared = endpoints.map(({ workload }) => workload);
  const ids = new Set(declared.map(({ id }) => id));
  const workloads = [...cluster.inventory.workloads.filter(({ id }) => !ids.has(id)), ...declared];
  workloads.sort((a, b) => (a.id < b.id ? -1 : 1));
  const known = new Set(cluster.inventory.namespaces.map(({ name }) => name));
  const more = [...new Set(declared.map(({ namespace }) => namespace))].filter(
    (name) => name !== "" && !known.has(name),
  );
  const namespaces = [...cluster.inventory.namespaces, ...more.map((name) => ({ name, labels: {} }))];
  const workloadsByName = new Map(cluster.workloadsByName);
  for (const workload of declared) workloadsByName.set(workload.id, [workload]);
  return { ...cluster, inventory: { ...cluster.inventory, workloads, namespaces }, workloadsByName };
}

/** Which profiles come after all tiers, by workload; only for workloads that do not simply have their namespace's. */
function profilesOfWorkloads(
  cluster: Cluster,
  endpoints: readonly DeclaredEndpoint[],
  profiles: ReadonlyMap<string, CalicoProfile>,
): Map<string, readonly string[]> {
  const declared = new Map(endpoints.map(({ workload, profiles: names }) => [workload.id, names]));
  const result = new Map<string, readonly string[]>();
  for (const { id, namespace, serviceAccount } of cluster.inventory.workloads) {
    const names = declared.get(id) ?? [`kns.${namespace}`, `ksa.${namespace}.${serviceAccount ?? "default"}`];
    // The profile of a namespace is made by Calico and allows everything, unless the manifests state another.
    const isOpen = names.some((name) => name.startsWith("kns.") && !profiles.has(name));
    if (!isOpen) result.set(id, names);
  }
  return result;
}

/** Staged policies take the place of their enforced twins, and everything is asked as if it were enforced. */
function withStaged(enforced: readonly CalicoPolicy[], staged: readonly CalicoPolicy[]): CalicoPolicy[] {
  const key = ({ kind, namespace, name }: CalicoPolicy) => `${kind.replace("Staged", "")} ${namespace ?? ""}/${name}`;
  const replaced = new Set(staged.map(key));
  return [...enforced.filter((policy) => !replaced.has(key(policy))), ...staged];
}

/** What the tiers of one direction are made of. */
interface PolicyState {
  readonly calico: readonly CalicoPolicy[];
  readonly kubernetes: KubernetesPolicies;
}

function stagesOf(direction: Direction, state: PolicyState, tiers: readonly CalicoTier[], world: CalicoWorld): Stage[] {
  const { cluster } = world.endpoints;
  const { networkPolicies, clusterPolicies } = state.kubernetes;
  const tiered = tiers.map((tier) => {
    const kubernetes =
      tier.name === "default" ? networkPolicyStage(networkPolicies, direction, cluster, CALICO) : undefined;
    return { order: tier.order, name: tier.name, stage: stageOfTier(tier, state.calico, direction, world, kubernetes) };
  });
  const admin = (tier: "admin" | "baseline", order: number) => ({
    order,
    name: tier,
    stage: tierStage(clusterPolicies, tier, direction, cluster, CALICO),
  });
  const ordered = [...tiered, admin("admin", 1_000), admin("baseline", 10_000_000)].sort(
    (a, b) => (a.order === b.order ? 0 : a.order < b.order ? -1 : 1) || (a.name < b.name ? -1 : 1),
  );
  return [
    networkStage(cluster),
    ...(direction === "ingress" ? [nodeStage(cluster)] : []),
    ...ordered.map(({ stage }) => stage),
    stageOfProfiles(direction, world),
  ].filter((stage) => stage.entries.length > 0 || stage.closures.length > 0);
}

/**
 * Reads a cluster's manifests as Calico does: tiers by order, policies by order within, Kubernetes policies among them, and
 * at the end the profiles. Staged policies become the trial.
 * @throws {ManifestErrors} With every fault in all files.
 */
export function readCalico(files: readonly ManifestFile[]): CalicoReading {
  return readCalicoObjects(readCluster(files));
}

/** The same for objects that were read elsewhere, over a cluster that is known. */
export function readCalicoObjects(manifests: ClusterManifests): CalicoReading {
  const isCalico = ({ apiVersion }: ManifestObject) => API_VERSIONS.includes(apiVersion);
  const own = manifests.objects.filter(isCalico);
  const others = manifests.objects.filter((object) => !isCalico(object));
  gatherFaults(own.map((object) => () => refuseUnknownKind(object)));
  const ofKinds = (...kinds: readonly string[]) => own.filter(({ kind }) => kinds.includes(kind));
  refuseMissingNamespaces(manifests);
  gatherFaults(
    [
      ...duplicateNames(ofKinds("NetworkPolicy", "StagedNetworkPolicy", "NetworkSet"), false),
      ...duplicateNames(ofKinds("GlobalNetworkPolicy", "StagedGlobalNetworkPolicy", "GlobalNetworkSet", "Tier"), true),
    ].map((fault) => () => {
      throw fault;
    }),
  );
  const parseAll = <T>(kinds: readonly string[], parse: (object: ManifestObject) => T) =>
    gatherFaults(ofKinds(...kinds).map((object) => () => parse(object)));
  const declaredTiers = parseAll(["Tier"], parseTier);
  const tierNames = new Set(declaredTiers.map(({ name }) => name));
  const tiers = [...declaredTiers, ...BUILT_IN_TIERS.filter(({ name }) => !tierNames.has(name))];
  const calico = gatherFaults(
    ofKinds(...POLICY_KINDS)
      .filter((object) => !isStagedDeletion(object))
      .map((object) => () => {
        const policy = parseCalicoPolicy(object);
        if (tiers.some(({ name }) => name === policy.tier)) return policy;
        throw object.node.error(
          `Cannot place ${formatObject(object)}: wanted a Tier that exists, "${policy.tier}" does not`,
        );
      }),
  );
  const kubernetes = parseKubernetesPolicies(others);
  const stagedKubernetes = parseAll(["StagedKubernetesNetworkPolicy"], (object): NetworkPolicy => {
    const policy = parseNetworkPolicy(object, ["stagedAction"]);
    // Nothing fills in `policyTypes` here, and Calico takes their absence for ingress alone.
    const hasTypes = (object.node.get("spec")?.get("policyTypes")?.items().length ?? 0) > 0;
    return hasTypes ? policy : { ...policy, directions: ["ingress"] };
  });
  const profileList = parseAll(["Profile"], parseProfile);
  const endpoints = [
    ...parseAll(["WorkloadEndpoint"], parseWorkloadEndpoint),
    ...parseAll(["HostEndpoint"], parseHostEndpoint),
  ];
  const cluster = withEndpoints(manifests.cluster, endpoints);
  const profiles = new Map(profileList.map((profile) => [profile.name, profile]));
  const accounts = others.filter(({ kind, apiVersion }) => kind === "ServiceAccount" && apiVersion === "v1");
  const accountLabels = new Map<string, Labels>(
    accounts.map(({ namespace, name, metadata }) => [`${namespace ?? "default"}/${name}`, parseLabels(metadata)]),
  );
  const hosts = new Set(endpoints.filter(({ workload }) => workload.kind === "HostEndpoint").map((e) => e.workload.id));
  const networkSets = parseAll(["NetworkSet", "GlobalNetworkSet"], parseNetworkSet);
  const services = others
    .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion === "v1")
    .map((object) => parseService(object, cluster));
  const world: CalicoWorld = {
    endpoints: new Endpoints(cluster, networkSets, accountLabels, hosts),
    services: new Map(services.map((service) => [`${service.namespace}/${service.name}`, service])),
    profiles,
    profilesOf: profilesOfWorkloads(cluster, endpoints, profiles),
    hosts,
  };
  const enforced: PolicyState = { calico: calico.filter(({ isStaged }) => !isStaged), kubernetes };
  const staged = calico.filter(({ isStaged }) => isStaged);
  const hasTrial = staged.length > 0 || stagedKubernetes.length > 0;
  const replaced = new Set(stagedKubernetes.map(({ namespace, name }) => `${namespace}/${name}`));
  const trial: PolicyState = {
    calico: withStaged(enforced.calico, staged),
    kubernetes: {
      ...kubernetes,
      networkPolicies: [
        ...kubernetes.networkPolicies.filter(({ namespace, name }) => !replaced.has(`${namespace}/${name}`)),
        ...stagedKubernetes,
      ],
    },
  };
  const directionProgram = (direction: Direction): DirectionProgram => ({
    enforced: stagesOf(direction, enforced, tiers, world),
    trial: hasTrial ? stagesOf(direction, trial, tiers, world) : [],
  });
  return {
    cluster,
    policies: calico,
    program: { ingress: directionProgram("ingress"), egress: directionProgram("egress"), selfTraffic: "allowed" },
  };
}
