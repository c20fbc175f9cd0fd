import { formatAddress, parseAddress } from "../../model/address.js";
import type { AddressInterval, Inventory } from "../../model/workload.js";
import { HOSTS, hostNamed, type LabHost, NAMESPACES, OUTSIDE, PARTNER, ROUTER, workloadId } from "./company.js";

/** What the company knows of itself; `swappedAtMs` is when worker-b took worker-a's addresses over. */
export function labInventory(swappedAtMs: number): Inventory {
  const resolver = hostNamed("dns-1");
  const bastion = hostNamed("bastion-1");
  return {
    workloads: HOSTS.map((host) => ({
      id: workloadId(host),
      namespace: host.namespace,
      name: host.name,
      kind: "Host",
      labels: host.labels,
      addresses: [host.v4, host.v6].map((text) => interval(host, text, swappedAtMs * 1000)),
    })),
    namespaces: NAMESPACES,
    groups: [
      { name: "gateway", cidrs: [`${ROUTER.v4}/32`, `${ROUTER.v6}/128`] },
      { name: OUTSIDE.name, cidrs: OUTSIDE.cidrs },
      { name: PARTNER.name, cidrs: PARTNER.cidrs },
    ],
    shared: [],
    lifelines: {
      management: [`${bastion.v4}/32`, `${bastion.v6}/128`],
      resolvers: [`${resolver.v4}/32`, `${resolver.v6}/128`],
      timeServers: [],
      controllers: [],
    },
  };
}

function interval(host: LabHost, text: string, swappedAtUs: number): AddressInterval {
  const address = formatAddress(parseAddress(text));
  switch (host.life) {
    case "whole":
      return { address };
    case "first-half":
      return { address, untilUs: swappedAtUs };
    case "second-half":
      return { address, fromUs: swappedAtUs };
  }
}
