import { ADDRESS_BITS, tryParseAddress } from "../../model/address.js";
import { formatCidr, parseCidr } from "../../model/cidr.js";
import type { Inventory } from "../../model/workload.js";
import type { AllowRule, Widening } from "../../policy/allow-rule.js";
import type { Peer } from "../../policy/peer.js";
import type { Service } from "../../policy/service.js";
import { textHash } from "./rule-id.js";
import type { SelectorSearch } from "./selector-search.js";

const ports = (protocol: "tcp" | "udp", port: number): Service => ({
  kind: "ports",
  protocol,
  ports: { first: port, last: port },
});

interface Lifeline {
  readonly name: string;
  readonly direction: "to" | "from"; // as seen from the isolated workloads
  readonly cidr: string;
  readonly services: readonly Service[];
  readonly reason: string;
}

function declaredLifelines({ lifelines }: Inventory): Lifeline[] {
  return [
    ...lifelines.resolvers.map((cidr) => ({
      name: "dns",
      direction: "to" as const,
      cidr,
      services: [ports("tcp", 53), ports("udp", 53)],
      reason: `The inventory declares ${cidr} as resolver: without names nothing works.`,
    })),
    ...lifelines.timeServers.map((cidr) => ({
      name: "ntp",
      direction: "to" as const,
      cidr,
      services: [ports("udp", 123)],
      reason: `The inventory declares ${cidr} as time server: without time certificates and logs fail.`,
    })),
    ...lifelines.controllers.map(({ address, port }) => ({
      name: "controller",
      direction: "to" as const,
      cidr: address,
      services: [ports("tcp", port)],
      reason: `The inventory declares ${address} port ${port} as controller: who cannot reach it cannot be told to stop.`,
    })),
    ...lifelines.management.map((cidr) => ({
      name: "ssh",
      direction: "from" as const,
      cidr,
      services: [ports("tcp", 22)],
      reason: `The inventory declares ${cidr} as management: it must get in when all else fails.`,
    })),
  ];
}

/** The workload behind a single address, wherever one is known, since some planes cannot match its pods by address. */
function peerBehind(cidrText: string, inventory: Inventory, selectors: SelectorSearch): { peer: Peer; size: number } {
  const cidr = parseCidr(cidrText);
  const bits = ADDRESS_BITS[cidr.family];
  if (cidr.prefix === bits) {
    const address = tryParseAddress(formatCidr(cidr).split("/")[0] as string);
    const text = formatCidr(cidr).split("/")[0] as string;
    const shared = inventory.shared.find((entry) => address !== undefined && entry.addresses.includes(text));
    const holders = inventory.workloads.filter(({ addresses }) =>
      addresses.some((interval) => interval.address === text && interval.untilUs === undefined),
    );
    const ids = new Set(shared?.members ?? holders.map(({ id }) => id));
    const selector = ids.size === 0 ? undefined : selectors.exact(ids);
    if (selector !== undefined) return { peer: { kind: "workloads", selector }, size: ids.size };
  }
  return { peer: { kind: "cidr", cidr: formatCidr(cidr), except: [] }, size: 2 ** (bits - cidr.prefix) };
}

/**
 * Rules for what the inventory declares every host to need: names, time, management, the controller. They hold for all
 * isolated workloads, seen using them or not, because the day a host needs them is the day one cannot ask.
 */
export function lifelineRules(
  inventory: Inventory,
  isolated: ReadonlySet<string>,
  selectors: SelectorSearch,
): AllowRule[] {
  if (isolated.size === 0) return [];
  return declaredLifelines(inventory).flatMap((lifeline) =>
    selectorsOf(isolated, inventory, selectors).map((selector, i): AllowRule => {
      const hosts: Peer = { kind: "workloads", selector };
      const { peer, size } = peerBehind(lifeline.cidr, inventory, selectors);
      const cells = Math.min(size * isolated.size * lifeline.services.length, Number.MAX_SAFE_INTEGER);
      const widening: Widening = {
        kind: "lifeline",
        text: `Declared, not learned: it holds for ${isolated.size === 1 ? "the isolated workload" : "isolated workloads"} whether or not they were seen using it.`,
        cells,
      };
      const hash = textHash(
        JSON.stringify([lifeline.name, lifeline.direction, lifeline.cidr, lifeline.services]),
      ).slice(0, 8);
      return {
        id: `lifeline-${lifeline.name}-${hash}${i === 0 ? "" : `-${i + 1}`}`,
        client: lifeline.direction === "to" ? hosts : peer,
        server: lifeline.direction === "to" ? peer : hosts,
        services: lifeline.services,
        reason: lifeline.reason,
        confidence: 1,
        widenings: [widening],
      };
    }),
  );
}

/** One selector for all isolated workloads if there is one, else one per namespace or, at worst, per workload. */
function selectorsOf(isolated: ReadonlySet<string>, inventory: Inventory, selectors: SelectorSearch) {
  const all = selectors.exact(isolated);
  if (all !== undefined) return [all];
  const byNamespace = new Map<string, Set<string>>();
  for (const { id, namespace } of inventory.workloads) {
    if (isolated.has(id)) byNamespace.set(namespace, (byNamespace.get(namespace) ?? new Set()).add(id));
  }
  return [...byNamespace.values()].flatMap((ids) => {
    const selector = selectors.exact(ids);
    return selector !== undefined ? [selector] : [...ids].sort().flatMap((id) => selectors.exact(new Set([id])) ?? []);
  });
}
