import { stringify } from "yaml";
import { formatProtocol } from "./protocol.js";
import { formatTimeUs } from "./time-window.js";
import type { AddressInterval, Inventory } from "./workload.js";

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function sortedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => byText(a, b)));
}

function intervalFile(interval: AddressInterval): unknown {
  if (interval.fromUs === undefined && interval.untilUs === undefined) return interval.address;
  return {
    address: interval.address,
    ...(interval.fromUs === undefined ? {} : { from: formatTimeUs(interval.fromUs) }),
    ...(interval.untilUs === undefined ? {} : { until: formatTimeUs(interval.untilUs) }),
  };
}

function nonEmpty(key: string, value: readonly unknown[] | Record<string, unknown>): Record<string, unknown> {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

/**
 * YAML that `parseInventory` reads back to an equal inventory, times to the millisecond. Everything is sorted and what
 * has its default is left out, so that equal inventories give equal bytes.
 */
export function formatInventory(inventory: Inventory): string {
  const { lifelines } = inventory;
  const namespaces = [...inventory.namespaces]
    .sort((a, b) => byText(a.name, b.name))
    .map(({ name, labels }) => ({ name, ...nonEmpty("labels", sortedLabels(labels)) }));
  const workloads = [...inventory.workloads]
    .sort((a, b) => byText(a.id, b.id))
    .map((workload) => ({
      ...(workload.id === `${workload.namespace}/${workload.name}` ? {} : { id: workload.id }),
      namespace: workload.namespace,
      name: workload.name,
      ...(workload.kind === "Workload" ? {} : { kind: workload.kind }),
      ...(workload.serviceAccount === undefined ? {} : { serviceAccount: workload.serviceAccount }),
      ...(workload.host === undefined ? {} : { host: workload.host }),
      ...nonEmpty("labels", sortedLabels(workload.labels)),
      ...(workload.namedPorts === undefined
        ? {}
        : { ports: workload.namedPorts.map((port) => ({ ...port, protocol: formatProtocol(port.protocol) })) }),
      ...nonEmpty("addresses", workload.addresses.map(intervalFile)),
    }));
  const shared = [...inventory.shared]
    .sort((a, b) => byText(a.namespace, b.namespace) || byText(a.name, b.name))
    .map(({ name, namespace, addresses, members }) => ({ name, namespace, addresses, members }));
  const groups = [...inventory.groups]
    .sort((a, b) => byText(a.name, b.name))
    .map(({ name, cidrs }) => ({ name, cidrs }));
  const file = {
    version: 1,
    ...nonEmpty("namespaces", namespaces),
    ...nonEmpty("workloads", workloads),
    ...nonEmpty("shared", shared),
    ...nonEmpty("groups", groups),
    ...nonEmpty("lifelines", {
      ...nonEmpty("management", lifelines.management),
      ...nonEmpty("resolvers", lifelines.resolvers),
      ...nonEmpty("timeServers", lifelines.timeServers),
      ...nonEmpty("controllers", lifelines.controllers),
    }),
  };
  return stringify(file, { lineWidth: 0 });
}
