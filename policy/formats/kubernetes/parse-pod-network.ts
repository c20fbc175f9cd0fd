import { matchesLabels } from "../../../model/label-selector.js";
import { type Inventory, namespaceLabels } from "../../../model/workload.js";
import { gatherFaults } from "../manifest/manifest-error.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import type { PodNetwork } from "./cluster.js";
import { parseLabelSelector } from "./parse-selector.js";

/** A namespace must carry this label from its birth to be allowed a primary network of its own. */
const OPT_IN = "k8s.ovn.org/primary-user-defined-network";

/** Whether `spec` makes the network the primary one of its pods; a secondary one is a second way, not a wall. */
function isPrimary(spec: ManifestNode | undefined): boolean {
  const role = (spec?.get("layer2") ?? spec?.get("layer3"))?.get("role");
  return role?.isText === true && role.text() === "Primary";
}

function parsePodNetwork(object: ManifestObject, inventory: Inventory): PodNetwork | undefined {
  const spec = object.node.get("spec");
  const isOpen = (namespace: string) => Object.hasOwn(namespaceLabels(inventory, namespace), OPT_IN);
  if (object.kind === "UserDefinedNetwork") {
    const namespace = object.namespace ?? "default";
    if (!isPrimary(spec) || !isOpen(namespace)) return undefined;
    return { name: `${namespace}/${object.name}`, namespaces: [namespace] };
  }
  if (!isPrimary(spec?.get("network"))) return undefined;
  const selector = spec?.get("namespaceSelector");
  if (selector === undefined)
    throw object.node.error(`Cannot read ${formatObject(object)}: wanted spec.namespaceSelector`);
  const query = parseLabelSelector(selector);
  const namespaces = inventory.namespaces
    .map(({ name }) => name)
    .filter((name) => isOpen(name) && matchesLabels(query, namespaceLabels(inventory, name)));
  return { name: object.name, namespaces };
}

/**
 * Networks apart from the cluster's pod network: OVN-Kubernetes UserDefinedNetwork and ClusterUserDefinedNetwork.
 * @throws {ManifestErrors} Where two of them claim one namespace.
 */
export function parsePodNetworks(objects: readonly ManifestObject[], inventory: Inventory): PodNetwork[] {
  const owners = new Map<string, string>();
  const networks = gatherFaults(
    objects
      .filter(({ kind }) => kind === "UserDefinedNetwork" || kind === "ClusterUserDefinedNetwork")
      .map((object) => () => {
        const network = parsePodNetwork(object, inventory);
        for (const namespace of network?.namespaces ?? []) {
          const owner = owners.get(namespace);
          if (owner !== undefined) {
            throw object.node.error(
              `Cannot put namespace "${namespace}" on ${formatObject(object)}: wanted one primary network, it is on ${owner}`,
            );
          }
          owners.set(namespace, formatObject(object));
        }
        return network;
      }),
  );
  return networks
    .filter((network): network is PodNetwork => network !== undefined && network.namespaces.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
