import { formatAddress } from "../model/address.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../model/workload.js";
import type { TrafficShape } from "./generate-capture.js";

const FD00 = 0xfd00n << 112n;
const APPS = 40;

function workload(namespace: string, name: string, app: string, net: number, host: number): Workload {
  const value = BigInt(net) * 65536n + BigInt(host);
  const addresses = [formatAddress({ family: 4, value }), formatAddress({ family: 6, value: FD00 | value })];
  return {
    id: `${namespace}/${name}`,
    namespace,
    name,
    kind: "Pod",
    labels: { app },
    addresses: addresses.map((address) => ({ address })),
  };
}

/** The workloads behind the addresses that generateCapture makes up: each with its IPv4 and its IPv6 address. */
export function madeInventory({ clients, services }: TrafficShape): Inventory {
  const workloads = [
    ...Array.from({ length: clients }, (_, i) => workload("clients", `client-${i}`, `client-${i % APPS}`, 0x0a01, i)),
    ...Array.from({ length: services }, (_, i) => workload("services", `service-${i}`, `service-${i}`, 0x0a02, i)),
    workload("services", "resolver", "resolver", 0x0a03, 53),
  ];
  return {
    ...EMPTY_INVENTORY,
    workloads: workloads.sort((a, b) => (a.id < b.id ? -1 : 1)),
    namespaces: ["clients", "services"].map((name) => ({ name, labels: {} })),
  };
}
