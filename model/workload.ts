import type { Labels } from "./label-selector.js";

/** An address that reaches a workload during [fromUs, untilUs); an open end is unbounded. */
export interface AddressInterval {
  readonly address: string; // canonical text, see formatAddress
  readonly fromUs?: number; // microseconds since the Unix epoch, inclusive
  readonly untilUs?: number; // exclusive, so that a successor may start at the same instant
}

/** What runs: a pod, a VM, a host process. */
export interface Workload {
  readonly id: string; // unique in an inventory, usually `namespace/name`
  readonly namespace: string;
  readonly name: string;
  readonly kind: string; // e.g. "Deployment", "VM", "Host"; free text, shown only
  readonly labels: Labels;
  readonly serviceAccount?: string;
  /** Id of the workload whose kernel forwards all traffic of this one: the node of a pod, the machine of a container. */
  readonly host?: string;
  /** Ports by name, as Kubernetes container ports; policies may name them. */
  readonly namedPorts?: readonly NamedPort[];
  readonly addresses: readonly AddressInterval[];
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: number;
  readonly port: number;
}

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

/** Addresses with a name but no workload behind them, e.g. an office network or a partner's API. */
export interface AddressGroup {
  readonly name: string;
  readonly cidrs: readonly string[];
}

/** An address shared by several workloads (virtual IP, Service): traffic to it reaches one of the members. */
export interface SharedAddress {
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly members: readonly string[]; // workload ids
}

/** What every host needs whatever policy says: who may manage it and whom it asks for names and time. */
export interface Lifelines {
  readonly management: readonly string[]; // CIDRs that may reach tcp/22
  readonly resolvers: readonly string[]; // CIDRs of DNS servers
  readonly timeServers: readonly string[]; // CIDRs of NTP servers
  readonly controllers: readonly { readonly address: string; readonly port: number }[];
}

/** Everything known about workloads and their addresses over time. Workloads are sorted by id. */
export interface Inventory {
  readonly workloads: readonly Workload[];
  readonly namespaces: readonly Namespace[];
  readonly groups: readonly AddressGroup[];
  readonly shared: readonly SharedAddress[];
  readonly lifelines: Lifelines;
}

export const EMPTY_INVENTORY: Inventory = {
  workloads: [],
  namespaces: [],
  groups: [],
  shared: [],
  lifelines: { management: [], resolvers: [], timeServers: [], controllers: [] },
};

/**
 * Labels of a namespace as policies see them: the declared ones plus `kubernetes.io/metadata.name`,
 * which Kubernetes sets on every namespace and which cannot be faked by its owner.
 */
export function namespaceLabels(inventory: Inventory, name: string): Labels {
  const declared = inventory.namespaces.find((namespace) => namespace.name === name)?.labels ?? {};
  return { ...declared, "kubernetes.io/metadata.name": name };
}
