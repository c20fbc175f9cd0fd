import type { Inventory } from "../../../model/workload.js";
import { podCensus } from "../pod-target.js";
import type { Cluster } from "./cluster.js";

/**
 * The pods of an inventory that a cluster's manifests do not name, as manifests: so that policies of any plane select them
 * by their labels as they select all others. `mentioned` are namespaces that exist although nothing declares them.
 */
export function podManifests(
  { workloads, namespaces }: Inventory,
  cluster: Cluster,
  mentioned: Iterable<string>,
): string {
  const { isPod } = podCensus(workloads);
  const missing = workloads.filter(
    (workload) => isPod(workload) && !cluster.workloadsByName.has(`${workload.namespace}/${workload.name}`),
  );
  const known = new Set(cluster.inventory.namespaces.map(({ name }) => name));
  const labelsOf = new Map(namespaces.map(({ name, labels }) => [name, labels]));
  const places = [...new Set([...mentioned, ...missing.map(({ namespace }) => namespace)])].filter(
    (name) => !known.has(name),
  );
  const items = [
    ...places.map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: labelsOf.get(name) ?? {} },
    })),
    ...missing.map(({ namespace, name, labels, serviceAccount, addresses }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name, labels },
      spec: { ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }), containers: [] },
      status: {
        podIPs: addresses.filter(({ untilUs }) => untilUs === undefined).map(({ address }) => ({ ip: address })),
      },
    })),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
