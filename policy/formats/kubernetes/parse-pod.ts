import { formatAddress, tryParseAddress } from "../../../model/address.js";
import type { Labels } from "../../../model/label-selector.js";
import type { AddressInterval, NamedPort } from "../../../model/workload.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import { parsePortProtocol } from "./parse-port.js";

/** A pod, or the pods that a controller makes of its template: alike in everything that policies look at. */
export interface Pods {
  readonly namespace: string;
  readonly name: string; // of the pod or of the controller
  readonly kind: string;
  readonly owner: string | undefined; // name of the controller that made a pod
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly namedPorts: readonly NamedPort[];
  readonly addresses: readonly AddressInterval[];
  readonly node: string | undefined;
  readonly isHostNetwork: boolean;
  readonly replicas: number; // 0, 1, or 2 for several: two suffice to show how they talk to each other
}

/** Where the kinds that make pods keep their template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  VirtualMachine: ["spec", "template"],
};

export function makesPods(kind: string): boolean {
  return kind === "Pod" || kind === "VirtualMachineInstance" || Object.hasOwn(TEMPLATES, kind);
}

export function parseLabels(metadata: ManifestNode | undefined): Labels {
  const labels: Record<string, string> = {};
  for (const [key, value] of metadata?.get("labels")?.fields() ?? []) labels[key] = value.isNull ? "" : value.text();
  return labels;
}

function parseContainerPorts(spec: ManifestNode | undefined): NamedPort[] {
  const containers = spec?.get("containers")?.items() ?? [];
  // An init container that restarts always is a sidecar: it serves as long as the pod lives.
  const sidecars = (spec?.get("initContainers")?.items() ?? []).filter((container) => {
    const policy = container.get("restartPolicy");
    return policy?.isText === true && policy.text() === "Always";
  });
  const ports: NamedPort[] = [];
  for (const container of [...containers, ...sidecars]) {
    const listed = container.get("ports");
    // Some tools write an empty mapping where there are no ports.
    for (const item of listed === undefined || listed.isMapping ? [] : listed.items()) {
      const name = item.get("name");
      const port = item.get("containerPort");
      if (name === undefined || name.isNull || port === undefined) continue;
      ports.push({
        name: name.text(),
        protocol: parsePortProtocol(item.get("protocol")),
        port: port.integer(1, 65535),
      });
    }
  }
  return ports;
}

/** The addresses that the cluster has reported for a pod. */
function parsePodAddresses(status: ManifestNode | undefined): AddressInterval[] {
  const listed =
    status
      ?.get("podIPs")
      ?.items()
      .map((item) => item.get("ip")) ?? [];
  const addresses = new Set<string>();
  for (const node of [...listed, status?.get("podIP")]) {
    if (node === undefined || node.isNull || !node.isText || node.text() === "") continue;
    const address = tryParseAddress(node.text());
    if (address === undefined) throw node.error(`Cannot read address "${node.text()}": wanted IPv4 or IPv6`);
    addresses.add(formatAddress(address));
  }
  return [...addresses].map((address) => ({ address }));
}

/** How many pods of a controller to show. A DaemonSet has one on each node, so there are several. */
function parseReplicas(object: ManifestObject): number {
  const spec = object.node.get("spec");
  const field = object.kind === "Job" ? "parallelism" : "replicas";
  const node = object.kind === "CronJob" ? spec?.get("jobTemplate")?.get("spec")?.get("parallelism") : spec?.get(field);
  if (node !== undefined && !node.isNull) return Math.min(node.integer(0, Number.MAX_SAFE_INTEGER), 2);
  return object.kind === "DaemonSet" ? 2 : 1;
}

function parseOwner(metadata: ManifestNode): string | undefined {
  for (const reference of metadata.get("ownerReferences")?.items() ?? []) {
    const name = reference.get("name");
    // A static pod is owned by its node, which makes no other pods like it.
    if (name !== undefined && reference.get("kind")?.text() !== "Node") return name.text();
  }
  return undefined;
}

/** Reads what policies look at and nothing else; fields of no interest are not checked. */
export function parsePods(object: ManifestObject): Pods {
  const path = TEMPLATES[object.kind];
  let template: ManifestNode | undefined = object.node;
  for (const field of path ?? []) template = template?.get(field);
  if (template === undefined || template.isNull) {
    throw object.node.error(`Cannot read ${formatObject(object)}: wanted ${path?.join(".") ?? "spec"}`);
  }
  const spec = template.get("spec");
  const account = spec?.get("serviceAccountName") ?? spec?.get("serviceAccount");
  const hostNetwork = spec?.get("hostNetwork");
  const nodeName = spec?.get("nodeName");
  return {
    namespace: object.namespace ?? "default",
    name: object.name,
    kind: object.kind,
    owner: path === undefined ? parseOwner(object.metadata) : undefined,
    labels: parseLabels(path === undefined ? object.metadata : template.get("metadata")),
    serviceAccount: account === undefined || account.isNull ? "default" : account.text(),
    namedPorts: parseContainerPorts(spec),
    addresses: path === undefined ? parsePodAddresses(object.node.get("status")) : [],
    node: nodeName === undefined || nodeName.isNull ? undefined : nodeName.text(),
    isHostNetwork: hostNetwork !== undefined && !hostNetwork.isNull && hostNetwork.boolean(),
    replicas: path === undefined ? 1 : parseReplicas(object),
  };
}
