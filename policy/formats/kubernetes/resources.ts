import { formatAddress, tryParseAddress } from "../../../model/address.js";
import type { Labels } from "../../../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, type Namespace, type Workload } from "../../../model/workload.js";
import { gatherFaults, type ManifestError } from "../manifest/manifest-error.js";
import {
  formatObject,
  type ManifestFile,
  type ManifestObject,
  readManifestObjects,
} from "../manifest/manifest-objects.js";
import type { Cluster, ClusterNode } from "./cluster.js";
import { makesPods, type Pods, parseLabels, parsePods } from "./parse-pod.js";
import { parsePodNetworks } from "./parse-pod-network.js";

/** Kinds of the API groups that we know by heart, so that a misspelt one is told from one without meaning to policy. */
const CORE_KINDS: Readonly<Record<string, readonly string[]>> = {
  "": [
    ...["Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "LimitRange", "Namespace", "Node"],
    ...["PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController"],
    ...["ResourceQuota", "Secret", "Service", "ServiceAccount"],
  ],
  apps: ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
  batch: ["CronJob", "Job"],
  extensions: ["DaemonSet", "Deployment", "Ingress", "NetworkPolicy", "PodSecurityPolicy", "ReplicaSet"],
  "networking.k8s.io": ["IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"],
};

function groupOf(object: ManifestObject): string {
  const slash = object.apiVersion.indexOf("/");
  return slash < 0 ? "" : object.apiVersion.slice(0, slash);
}

function refuseUnknownKind(object: ManifestObject): void {
  const kinds = CORE_KINDS[groupOf(object)];
  if (kinds === undefined || kinds.includes(object.kind)) return;
  throw object.node
    .get("kind")!
    .error(`Cannot read kind "${object.kind}" of ${object.apiVersion}: wanted one of ${kinds.join(", ")}`);
}

/** One complaint for each object whose name an earlier one of its kind and namespace already has. */
export function* duplicateNames(objects: readonly ManifestObject[], isClusterWide: boolean): Generator<ManifestError> {
  const seen = new Map<string, ManifestObject>();
  for (const object of objects) {
    const namespace = isClusterWide ? "" : (object.namespace ?? "default");
    const key = `${object.kind} ${namespace}/${object.name}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, object);
    else {
      const { path, line } = first.node.position;
      yield object.node.error(`Cannot read ${formatObject(object)} twice: the name is taken at ${path}:${line}`);
    }
  }
}

function parseNode(object: ManifestObject): ClusterNode {
  const addresses = (object.node.get("status")?.get("addresses")?.items() ?? []).flatMap((item) => {
    const address = tryParseAddress(item.get("address")?.text() ?? "");
    return address === undefined ? [] : [formatAddress(address)]; // host names are not addresses
  });
  return { name: object.name, labels: parseLabels(object.metadata), addresses: [...new Set(addresses)].sort() };
}

/** Ids: `namespace/name`; with the kind where several kinds share a name; numbered from the second replica on. */
function makeWorkloads(pods: readonly Pods[]): { readonly workload: Workload; readonly pods: Pods }[] {
  const taken = new Map<string, number>();
  for (const { namespace, name } of pods) {
    const key = `${namespace}/${name}`;
    taken.set(key, (taken.get(key) ?? 0) + 1);
  }
  return pods.flatMap((of) => {
    const { namespace, name, kind, labels, serviceAccount, namedPorts, addresses } = of;
    const base = taken.get(`${namespace}/${name}`) === 1 ? `${namespace}/${name}` : `${namespace}/${name}[${kind}]`;
    return Array.from({ length: of.replicas }, (_, i) => {
      const id = i === 0 ? base : `${base}#${i + 1}`;
      return { workload: { id, namespace, name, kind, labels, serviceAccount, namedPorts, addresses }, pods: of };
    });
  });
}

/** The namespaces that are declared, and those that only pods and policies speak of, without labels of their own. */
function allNamespaces(declared: readonly Namespace[], mentioned: Iterable<string>): Namespace[] {
  const namespaces = new Map<string, Labels>([...mentioned].map((name) => [name, {}]));
  for (const { name, labels } of declared) namespaces.set(name, labels);
  return [...namespaces].map(([name, labels]) => ({ name, labels })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Objects of a set of manifests, and the cluster they describe. */
export interface ClusterManifests {
  readonly cluster: Cluster;
  readonly objects: readonly ManifestObject[];
}

/**
 * Reads a cluster's manifests: namespaces, nodes, pods, and the kinds that make pods. Kinds without a meaning to policy are
 * passed over, policies are left to the parser of their format.
 * @throws {ManifestErrors} With every fault in all files: no YAML, misspelt kinds, names used twice, fields of a wrong type.
 */
export function readCluster(files: readonly ManifestFile[]): ClusterManifests {
  const objects = readManifestObjects(files);
  gatherFaults(objects.map((object) => () => refuseUnknownKind(object)));
  const ofKind = (kind: string, group: string) =>
    objects.filter((object) => object.kind === kind && groupOf(object) === group);
  const namespaceObjects = ofKind("Namespace", "");
  const nodeObjects = ofKind("Node", "");
  const podObjects = objects.filter((object) => makesPods(object.kind));
  gatherFaults(
    [
      ...duplicateNames(namespaceObjects, true),
      ...duplicateNames(nodeObjects, true),
      ...duplicateNames(podObjects, false),
    ].map((fault) => () => {
      throw fault;
    }),
  );
  const pods = gatherFaults(podObjects.map((object) => () => parsePods(object)));
  const nodes = gatherFaults(nodeObjects.map((object) => () => parseNode(object)));
  const declared = gatherFaults(
    namespaceObjects.map((object) => () => ({ name: object.name, labels: parseLabels(object.metadata) })),
  );
  const made = makeWorkloads(pods).sort((a, b) => (a.workload.id < b.workload.id ? -1 : 1));
  const inventory: Inventory = {
    ...EMPTY_INVENTORY,
    workloads: made.map(({ workload }) => workload),
    namespaces: allNamespaces(
      declared,
      pods.map(({ namespace }) => namespace),
    ),
  };
  const workloadsByName = new Map<string, Workload[]>();
  for (const { workload, pods: of } of made) {
    for (const name of new Set([of.name, of.owner ?? of.name])) {
      const key = `${of.namespace}/${name}`;
      const others = workloadsByName.get(key);
      if (others === undefined) workloadsByName.set(key, [workload]);
      else others.push(workload);
    }
  }
  return {
    objects,
    cluster: {
      inventory,
      nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)),
      hostNetwork: new Set(made.filter(({ pods: of }) => of.isHostNetwork).map(({ workload }) => workload.id)),
      nodeOf: new Map(
        made.flatMap(({ workload, pods: of }) => (of.node === undefined ? [] : [[workload.id, of.node]])),
      ),
      networks: parsePodNetworks(objects, inventory),
      workloadsByName,
    },
  };
}
