import { matchesLabels, selectorOfLabels } from "../../../model/label-selector.js";
import type { NamedService } from "../../decision/program.js";
import type { ManifestObject } from "../manifest/manifest-objects.js";
import type { Cluster } from "./cluster.js";
import { parsePortProtocol } from "./parse-port.js";

/** The ports of the pods behind a Service: where traffic to it really goes. */
export interface ServicePort {
  readonly protocol: number;
  readonly port: number | undefined; // of the pods
  readonly named: NamedService | undefined; // in its place, where the Service goes by the pods' port name
  readonly name: string | undefined;
}

export interface ClusterService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly workloads: readonly string[]; // ids of the pods behind it; none for a Service without selector
  readonly ports: readonly ServicePort[];
}

export function parseService(object: ManifestObject, cluster: Cluster): ClusterService {
  const namespace = object.namespace ?? "default";
  const spec = object.node.get("spec");
  const wanted: Record<string, string> = {};
  for (const [key, value] of spec?.get("selector")?.fields() ?? []) wanted[key] = value.text();
  const labels: Record<string, string> = {};
  for (const [key, value] of object.metadata.get("labels")?.fields() ?? []) labels[key] = value.text();
  const query = selectorOfLabels(wanted);
  const members = cluster.inventory.workloads.filter(
    (workload) => workload.namespace === namespace && matchesLabels(query, workload.labels),
  );
  return {
    namespace,
    name: object.name,
    labels,
    workloads: Object.keys(wanted).length === 0 ? [] : members.map(({ id }) => id),
    ports: (spec?.get("ports")?.items() ?? []).map((item) => {
      const protocol = parsePortProtocol(item.get("protocol"));
      const target = item.get("targetPort");
      const name = item.get("name")?.text();
      const isNamed = target?.isText === true && !/^\d+$/.test(target.text());
      if (isNamed) return { protocol, port: undefined, named: { protocol, name: target.text() }, name };
      const port = target === undefined || target.isNull ? item.get("port")?.integer(1, 65535) : undefined;
      return {
        protocol,
        port: port ?? Number(target?.isText === true ? target.text() : target?.integer(0, 65535)),
        named: undefined,
        name,
      };
    }),
  };
}
