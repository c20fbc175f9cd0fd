import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { formatAddress, tryParseAddress } from "../model/address.js";
import { EMPTY_INVENTORY, type Inventory } from "../model/workload.js";

const RESOLVER = /^\s*nameserver\s+([0-9a-fA-F.:]+)/gm;

/** Name servers of /etc/resolv.conf, canonical text; none where there is no such file. */
function resolvers(): string[] {
  let text: string;
  try {
    text = readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(RESOLVER)].flatMap(([, address]) => {
    const parsed = tryParseAddress(address ?? "");
    return parsed === undefined ? [] : [formatAddress(parsed)];
  });
}

/**
 * What can be known of this host without being told: itself as one workload with its present addresses, and whom it
 * asks for names. The inventory of `portolan run` where the user gives none.
 */
export function hostInventory(): Inventory {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal)
    .flatMap((entry) => tryParseAddress(entry.address) ?? [])
    .map((address) => ({ address: formatAddress(address) }));
  const unique = [...new Map(addresses.map((entry) => [entry.address, entry])).values()].sort((a, b) =>
    a.address < b.address ? -1 : 1,
  );
  const name = hostname().toLowerCase();
  return {
    ...EMPTY_INVENTORY,
    workloads: [
      { id: `host/${name}`, namespace: "host", name, kind: "Host", labels: { app: name }, addresses: unique },
    ],
    namespaces: [{ name: "host", labels: {} }],
    lifelines: { ...EMPTY_INVENTORY.lifelines, resolvers: resolvers() },
  };
}
