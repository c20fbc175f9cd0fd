import type { Program } from "../../decision/program.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { parseKubernetesPolicies } from "../kubernetes/parse.js";
import { parseService } from "../kubernetes/parse-service.js";
import { programOfKubernetes } from "../kubernetes/program.js";
import { refuseMissingNamespaces } from "../kubernetes/read.js";
import { type ClusterManifests, duplicateNames, readCluster } from "../kubernetes/resources.js";
import { gatherFaults } from "../manifest/manifest-error.js";
import { formatObject, type ManifestFile, type ManifestObject } from "../manifest/manifest-objects.js";
import type { AuthorizationPolicy } from "./authorization-policy.js";
import { parseAuthorizationPolicy } from "./parse.js";
import { authorizationStage, DEFAULT_MESH, type Mesh } from "./program.js";

const API_VERSIONS = ["security.istio.io/v1", "security.istio.io/v1beta1"];

/** Kinds of the same API group that say who someone is, not whom they may talk to. */
const OTHER_KINDS = ["PeerAuthentication", "RequestAuthentication"];

export interface IstioReading {
  readonly cluster: Cluster;
  readonly policies: readonly AuthorizationPolicy[];
  readonly program: Program;
}

function isIstioSecurity({ apiVersion }: ManifestObject): boolean {
  return apiVersion.startsWith("security.istio.io/");
}

function checkKind(object: ManifestObject): void {
  if (object.kind !== "AuthorizationPolicy") {
    if (OTHER_KINDS.includes(object.kind)) return;
    const wanted = ["AuthorizationPolicy", ...OTHER_KINDS].join(", ");
    throw object.node
      .get("kind")!
      .error(`Cannot read kind "${object.kind}" of ${object.apiVersion}: wanted one of ${wanted}`);
  }
  if (API_VERSIONS.includes(object.apiVersion)) return;
  throw object.node
    .get("apiVersion")!
    .error(`Cannot read ${formatObject(object)} of ${object.apiVersion}: wanted ${API_VERSIONS.join(" or ")}`);
}

/**
 * What a mesh makes of the objects of a cluster whose workloads all speak mTLS: AuthorizationPolicies at the server, and below
 * them the Kubernetes policies at both ends. Dry runs become the trial, where they are judged alone.
 * @throws {ManifestErrors} With every field that Istio or Kubernetes does not know or allow.
 */
export function readIstioObjects({ cluster, objects }: ClusterManifests, mesh: Mesh = DEFAULT_MESH): IstioReading {
  const own = objects.filter(isIstioSecurity);
  gatherFaults(own.map((object) => () => checkKind(object)));
  const stated = own.filter(({ kind }) => kind === "AuthorizationPolicy");
  gatherFaults(
    [...duplicateNames(stated, false)].map((fault) => () => {
      throw fault;
    }),
  );
  const policies = gatherFaults(stated.map((object) => () => parseAuthorizationPolicy(object)));
  const below = parseKubernetesPolicies(objects.filter((object) => !isIstioSecurity(object)));
  const program = programOfKubernetes(below, cluster);
  const services = new Map(
    objects
      .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion === "v1")
      .map((object) => [`${object.namespace ?? "default"}/${object.name}`, parseService(object, cluster)]),
  );
  const stage = (name: string, of: readonly AuthorizationPolicy[]) =>
    of.length === 0 ? [] : [authorizationStage(name, of, cluster, services, mesh)];
  const enforced = stage(
    "Istio",
    policies.filter(({ isDryRun }) => !isDryRun),
  );
  const trial = stage(
    "Istio's dry run",
    policies.filter(({ isDryRun }) => isDryRun),
  );
  const ingress = { enforced: [...enforced, ...program.ingress.enforced], trial };
  return { cluster, policies, program: { ...program, ingress } };
}

/** Reads a cluster's manifests as a mesh does, all or nothing. @throws {ManifestErrors} With every fault in all files. */
export function readIstio(files: readonly ManifestFile[], mesh: Mesh = DEFAULT_MESH): IstioReading {
  const manifests = readCluster(files);
  refuseMissingNamespaces(manifests, [mesh.rootNamespace]);
  return readIstioObjects(manifests, mesh);
}
