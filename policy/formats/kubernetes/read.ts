import type { Program } from "../../decision/program.js";
import { gatherFaults } from "../manifest/manifest-error.js";
import { formatObject, type ManifestFile } from "../manifest/manifest-objects.js";
import type { Cluster } from "./cluster.js";
import type { KubernetesPolicies } from "./network-policy.js";
import { parseKubernetesPolicies } from "./parse.js";
import { DEFAULT_PLANE, type KubernetesPlane, programOfKubernetes } from "./program.js";
import { type ClusterManifests, readCluster } from "./resources.js";

/** A cluster, its policies, and what they mean. */
export interface KubernetesReading {
  readonly cluster: Cluster;
  readonly policies: KubernetesPolicies;
  readonly program: Program;
}

/** Policies that live in a namespace, of all planes. */
const NAMESPACED_POLICIES = ["NetworkPolicy", "StagedNetworkPolicy", "CiliumNetworkPolicy", "AuthorizationPolicy"];

/**
 * A policy for a namespace that nothing else speaks of is a slip of the pen. Where nothing but policies is given, no
 * namespace is known and none can be missing. `always` exist.
 */
export function refuseMissingNamespaces({ cluster, objects }: ClusterManifests, always: readonly string[] = []): void {
  const known = new Set(cluster.inventory.namespaces.map(({ name }) => name));
  if (known.size === 0) return;
  for (const name of always) known.add(name);
  gatherFaults(
    objects
      .filter(({ kind, namespace }) => NAMESPACED_POLICIES.includes(kind) && !known.has(namespace ?? "default"))
      .map((object) => () => {
        const namespace = object.metadata.get("namespace") ?? object.metadata;
        throw namespace.error(
          `Cannot place ${formatObject(object)}: wanted a namespace that exists, "${object.namespace ?? "default"}" does not`,
        );
      }),
  );
}

/**
 * Reads a cluster's manifests with its policies, all or nothing.
 * @throws {ManifestErrors} With every fault in all files.
 */
export function readKubernetes(
  files: readonly ManifestFile[],
  plane: KubernetesPlane = DEFAULT_PLANE,
): KubernetesReading {
  const manifests = readCluster(files);
  const { cluster, objects } = manifests;
  const [policies] = gatherFaults([
    () => parseKubernetesPolicies(objects),
    () => {
      refuseMissingNamespaces(manifests);
      return undefined;
    },
  ]) as [KubernetesPolicies, undefined];
  return { cluster, policies, program: programOfKubernetes(policies, cluster, plane) };
}
