import { stringify } from "yaml";
import { formatProtocol } from "./protocol.js";
import { formatTimeUs } from "./time-window.js";
import type {
  AddressGroup,
  AddressInterval,
  Inventory,
  Lifelines,
  Namespace,
  SharedAddress,
  Workload,
} from "./workload.js";

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

export function workloadRow(workload: Workload): Record<string, unknown> {
  return {
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
  };
}

export function namespaceRow({ name, labels }: Namespace): Record<string, unknown> {
  return { name, ...nonEmpty("labels", sortedLabels(labels)) };
}

export function sharedRow({ name, namespace, addresses, members }: SharedAddress): Record<string, unknown> {
  return { name, namespace, addresses, members };
}

export function groupRow({ name, cidrs }: AddressGroup): Record<string, unknown> {
  return { name, cidrs };
}

export function lifelinesRow(lifelines: Lifelines): Record<string, unknown> {
  return {
    ...nonEmpty("management", lifelines.management),
    ...nonEmpty("resolvers", lifelines.resolvers),
    ...nonEmpty("timeServers", lifelines.timeServers),
    ...nonEmpty("controllers", lifelines.controllers),
  };
}

/**
 * YAML that `parseInventory` reads back to an equal inventory, times to the millisecond. Everything is sorted and what
 * has its default is left out, so that equal inventories give equal bytes.
 */
export function formatInventory(inventory: Inventory): string {
  const namespaces = [...inventory.namespaces].sort((a, b) => byText(a.name, b.name));
  const workloads = [...inventory.workloads].sort((a, b) => byText(a.id, b.id));
  const shared = [...inventory.shared].sort((a, b) => byText(a.namespace, b.namespace) || byText(a.name, b.name));
  const groups = [...inventory.groups].sort((a, b) => byText(a.name, b.name));
  const file = {
    version: 1,
    ...nonEmpty("namespaces", namespaces.map(namespaceRow)),
    ...nonEmpty("workloads", workloads.map(workloadRow)),
    ...nonEmpty("shared", shared.map(sharedRow)),
    ...nonEmpty("groups", groups.map(groupRow)),
    ...nonEmpty("lifelines", lifelinesRow(inventory.lifelines)),
  };
  return stringify(file, { lineWidth: 0 });
}
