import { ADDRESS_BITS, tryParseAddress } from "../../model/address.js";
import { formatCidr, parseCidr } from "../../model/cidr.js";
import type { Inventory } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
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
 * isolated workloads, seen using them or not, because the day a host needs them is the day one cannot ask. Two declared
 * addresses of one workload (its IPv4 and its IPv6) make one rule.
 */
export function lifelineRules(
  inventory: Inventory,
  isolated: ReadonlySet<string>,
  selectors: SelectorSearch,
): AllowRule[] {
  if (isolated.size === 0) return [];
  const hosts = selectorsOf(isolated, inventory, selectors).map((selector): Peer => ({ kind: "workloads", selector }));
  const rules = new Map<string, AllowRule>();
  for (const lifeline of declaredLifelines(inventory)) {
    const { peer, size } = peerBehind(lifeline.cidr, inventory, selectors);
    const hash = textHash(JSON.stringify([lifeline.direction, peer, lifeline.services])).slice(0, 8);
    hosts.forEach((host, i) => {
      const id = `declared-${lifeline.name}-${hash}${i === 0 ? "" : `-${i + 1}`}`;
      if (rules.has(id)) return;
      rules.set(id, {
        id,
        client: lifeline.direction === "to" ? host : peer,
        server: lifeline.direction === "to" ? peer : host,
        services: lifeline.services,
        reason: lifeline.reason,
        confidence: 1,
        widenings: [
          {
            kind: "lifeline",
            text: "Declared, not learned: it holds for every isolated workload, whether or not it was seen using it.",
            cells: Math.min(size * isolated.size * lifeline.services.length, Number.MAX_SAFE_INTEGER),
          },
        ],
      });
    });
  }
  return [...rules.values()];
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
