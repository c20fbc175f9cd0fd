import { formatAddress, tryParseAddress } from "../../../model/address.js";
import type { LabelRequirement, Labels } from "../../../model/label-selector.js";
import { parseLabels } from "../kubernetes/parse-pod.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import type { ManifestObject } from "../manifest/manifest-objects.js";
import type { EndpointSelector } from "./cilium-policy.js";

/** A Service as `toServices` refers to it: the pods it selects or, without a selector, the addresses listed for it. */
export interface ReferredService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly selector: EndpointSelector | undefined;
  readonly addresses: readonly string[];
}

function isOf(object: ManifestObject, kind: string, group: string): boolean {
  return object.kind === kind && object.apiVersion.startsWith(group);
}

/** Addresses by the Service that they stand for, out of Endpoints and EndpointSlices. */
function listedAddresses(objects: readonly ManifestObject[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (object: ManifestObject, service: string, nodes: readonly ManifestNode[]) => {
    const key = `${object.namespace ?? "default"}/${service}`;
    const addresses = nodes.flatMap((node) => {
      const address = tryParseAddress(node.text());
      return address === undefined ? [] : [formatAddress(address)]; // host names are not addresses
    });
    found.set(key, [...(found.get(key) ?? []), ...addresses]);
  };
  for (const object of objects) {
    if (isOf(object, "Endpoints", "v1")) {
      const subsets = object.node.get("subsets")?.items() ?? [];
      const ips = subsets
        .flatMap((subset) => subset.get("addresses")?.items() ?? [])
        .flatMap((item) => item.get("ip") ?? []);
      add(object, object.name, ips);
    } else if (isOf(object, "EndpointSlice", "discovery.k8s.io/")) {
      const service = object.metadata.get("labels")?.get("kubernetes.io/service-name");
      const endpoints = object.node.get("endpoints")?.items() ?? [];
      if (service !== undefined)
        add(
          object,
          service.text(),
          endpoints.flatMap((item) => item.get("addresses")?.items() ?? []),
        );
    }
  }
  return found;
}

function selectorOf(object: ManifestObject, namespace: string): EndpointSelector | undefined {
  const selector = object.node.get("spec")?.get("selector");
  if (selector === undefined || selector.isNull || selector.fields().size === 0) return undefined;
  const requirements = [...selector.fields()].map(
    ([key, value]): LabelRequirement => ({ key: `k8s:${key}`, operator: "In", values: [value.text()] }),
  );
  return { labels: { requirements }, namespace };
}

/** Every Service among the objects of a cluster. */
export function referredServicesOf(objects: readonly ManifestObject[]): ReferredService[] {
  const listed = listedAddresses(objects);
  return objects
    .filter((object) => isOf(object, "Service", "v1"))
    .map((object) => {
      const namespace = object.namespace ?? "default";
      const selector = selectorOf(object, namespace);
      const addresses = selector === undefined ? (listed.get(`${namespace}/${object.name}`) ?? []) : [];
      return { namespace, name: object.name, labels: parseLabels(object.metadata), selector, addresses };
    });
}
