import type { Inventory } from "../../model/workload.js";
import type { BundleFile, Renderer } from "../bundle.js";
import { OPEN_DIRECTION, type Program, type Stage } from "../decision/program.js";
import type { PolicyMode } from "../policy-set.js";
import { readCalicoObjects } from "./calico/read.js";
import { renderCalico } from "./calico/render.js";
import { parseCiliumPolicies } from "./cilium/parse.js";
import { programOfCilium } from "./cilium/program.js";
import { renderCilium } from "./cilium/render.js";
import { parseAuthorizationPolicy } from "./istio/parse.js";
import { authorizationStage, DEFAULT_MESH } from "./istio/program.js";
import { renderIstio } from "./istio/render.js";
import type { Cluster } from "./kubernetes/cluster.js";
import { parseKubernetesPolicies } from "./kubernetes/parse.js";
import { programOfKubernetes } from "./kubernetes/program.js";
import { renderKubernetes } from "./kubernetes/render.js";
import { gatherFaults } from "./manifest/manifest-error.js";
import { formatObject, type ManifestObject, readManifestObjects } from "./manifest/manifest-objects.js";
import { readNftBundle } from "./nftables/read-bundle.js";
import { renderNftables } from "./nftables/render.js";
import { podCensus } from "./pod-target.js";
import { podsOnly } from "./pods-only.js";
import { TARGET_NAMES, type TargetName } from "./target-names.js";

/** A plane that a policy set can be written for. */
export interface Target {
  readonly title: string; // for people
  readonly modes: readonly PolicyMode[]; // that its files can be in, the gentlest first
  readonly render: Renderer;
  /** Whether its files select pods, which are meant even before they have an address. */
  readonly arePodsSelected: boolean;
  /**
   * What the files of a bundle mean. Independent of how they were written.
   * @throws {SyntaxError | ManifestErrors} With the file and line of what cannot be read.
   */
  readonly read: (files: readonly BundleFile[], inventory: Inventory) => Program;
}

/** A cluster of which nothing is known but its workloads. */
function clusterOf(inventory: Inventory): Cluster {
  return { inventory, nodes: [], hostNetwork: new Set(), nodeOf: new Map(), networks: [], workloadsByName: new Map() };
}

/** The inventory without what is no pod. */
function podsOf(inventory: Inventory): Inventory {
  return { ...inventory, workloads: inventory.workloads.filter(podCensus(inventory.workloads).isPod) };
}

function policyObjects(files: readonly BundleFile[]): ManifestObject[] {
  const manifests = files.filter((file) => /\.(ya?ml|json)$/.test(file.path));
  return readManifestObjects(manifests.filter((file) => !/(^|\/)kustomization\.ya?ml$/.test(file.path)));
}

/** Authorization policies of a mesh that has no other policies below. */
function readIstioBundle(objects: readonly ManifestObject[], inventory: Inventory): Program {
  const policies = gatherFaults(
    objects.map((object) => () => {
      if (object.kind === "AuthorizationPolicy") return parseAuthorizationPolicy(object);
      throw object.node.error(`Cannot read ${formatObject(object)}: wanted an AuthorizationPolicy`);
    }),
  );
  const cluster = clusterOf(podsOf(inventory));
  const stages = (isDryRun: boolean): Stage[] => {
    const some = policies.filter((policy) => policy.isDryRun === isDryRun);
    return some.length === 0 ? [] : [authorizationStage("Istio", some, cluster, new Map(), DEFAULT_MESH)];
  };
  const program: Program = {
    ingress: { enforced: stages(false), trial: stages(true) },
    egress: OPEN_DIRECTION,
    selfTraffic: "allowed",
  };
  return podsOnly(program, inventory);
}

const BY_NAME: Readonly<Record<TargetName, Target>> = {
  calico: {
    title: "Calico NetworkPolicy and GlobalNetworkPolicy",
    modes: ["audit", "deny"],
    render: renderCalico,
    arePodsSelected: true,
    read: (files, inventory) => {
      const cluster = clusterOf(podsOf(inventory));
      return readCalicoObjects({ cluster, objects: policyObjects(files) }).program;
    },
  },
  cilium: {
    title: "CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy",
    modes: ["audit", "deny"],
    render: renderCilium,
    arePodsSelected: true,
    read: (files, inventory) => programOfCilium(parseCiliumPolicies(policyObjects(files)), clusterOf(inventory)),
  },
  istio: {
    title: "Istio AuthorizationPolicy",
    modes: ["audit", "deny"],
    render: renderIstio,
    arePodsSelected: true,
    read: (files, inventory) => readIstioBundle(policyObjects(files), inventory),
  },
  kubernetes: {
    title: "Kubernetes NetworkPolicy",
    modes: ["deny"],
    render: renderKubernetes,
    arePodsSelected: true,
    read: (files, inventory) => {
      const policies = parseKubernetesPolicies(policyObjects(files));
      return podsOnly(programOfKubernetes(policies, clusterOf(inventory), { ipBlocks: "anyone" }), inventory);
    },
  },
  nftables: {
    title: "nftables ruleset of each host",
    modes: ["audit", "deny"],
    render: renderNftables,
    arePodsSelected: false,
    read: (files) => readNftBundle(files),
  },
};

/** Every target by the name that users type, in alphabetical order. */
export const TARGETS: ReadonlyMap<string, Target> = new Map(TARGET_NAMES.map((name) => [name, BY_NAME[name]]));
