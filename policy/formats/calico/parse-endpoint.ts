import { formatAddress, parseAddress } from "../../../model/address.js";
import type { NamedPort, Workload } from "../../../model/workload.js";
import { parseLabels } from "../kubernetes/parse-pod.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import type { ManifestObject } from "../manifest/manifest-objects.js";

/** An endpoint that Calico's own objects declare, with the names of its profiles. */
export interface DeclaredEndpoint {
  readonly workload: Workload;
  readonly profiles: readonly string[];
}

function textsOf(node: ManifestNode | undefined): string[] {
  return node?.items().map((item) => item.text()) ?? [];
}

function parseAddresses(node: ManifestNode | undefined): string[] {
  return (node?.items() ?? []).map((item) =>
    item.parsed((text) => formatAddress(parseAddress(text.replace(/\/(32|128)$/, "")))),
  );
}

function parsePorts(node: ManifestNode | undefined): NamedPort[] {
  const numbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };
  return (node?.items() ?? []).flatMap((item) => {
    const { name, port, protocol } = item.knownFields(["name", "port", "protocol", "hostPort", "hostIP"]);
    const number = numbers[protocol?.isText === true ? protocol.text().toLowerCase() : "tcp"];
    if (name === undefined || name.isNull || port === undefined || number === undefined) return [];
    return [{ name: name.text(), protocol: number, port: port.integer(1, 65535) }];
  });
}

/** A `WorkloadEndpoint`: one interface of a pod or of something else that Calico runs. */
export function parseWorkloadEndpoint(object: ManifestObject): DeclaredEndpoint {
  const spec = object.node.get("spec");
  const namespace = object.namespace ?? "default";
  const pod = spec?.get("pod") ?? spec?.get("workload");
  const name = pod === undefined || pod.isNull ? object.name : pod.text();
  const account = spec?.get("serviceAccountName");
  return {
    workload: {
      id: `${namespace}/${name}`,
      namespace,
      name,
      kind: object.kind,
      labels: parseLabels(object.metadata),
      serviceAccount: account === undefined || account.isNull ? "default" : account.text(),
      namedPorts: parsePorts(spec?.get("ports")),
      addresses: parseAddresses(spec?.get("ipNetworks")).map((address) => ({ address })),
    },
    profiles: textsOf(spec?.get("profiles")),
  };
}

/** A `HostEndpoint`: an interface of a node. It belongs to no namespace. */
export function parseHostEndpoint(object: ManifestObject): DeclaredEndpoint {
  const spec = object.node.get("spec");
  return {
    workload: {
      id: `host/${object.name}`,
      namespace: "",
      name: object.name,
      kind: object.kind,
      labels: parseLabels(object.metadata),
      namedPorts: parsePorts(spec?.get("ports")),
      addresses: parseAddresses(spec?.get("expectedIPs")).map((address) => ({ address })),
    },
    profiles: textsOf(spec?.get("profiles")),
  };
}
