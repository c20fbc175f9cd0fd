import { formatCidr, parseCidr } from "../model/cidr.js";
import { selectorOfLabels } from "../model/label-selector.js";
import type { AddressGroup, Inventory } from "../model/workload.js";
import type { AllowRule } from "./allow-rule.js";
import type { Peer } from "./peer.js";
import type { Isolation } from "./policy-set.js";
import type { Service } from "./service.js";

export const LIFELINE_PREFIX = "lifeline-";

const port = (protocol: "tcp" | "udp", first: number): Service => ({
  kind: "ports",
  protocol,
  ports: { first, last: first },
});

const icmp = (protocol: "icmp" | "icmpv6", types: readonly number[]): Service[] =>
  types.map((type) => ({ kind: "icmp", protocol, type }));

/** Names are asked over both: an answer that is too long for UDP is asked again over TCP. */
const DNS: readonly Service[] = [port("tcp", 53), port("udp", 53)];

/** Where the node's own DNS cache listens; it is the node that answers, so no pod selector finds it. */
const NODE_LOCAL_DNS = "169.254.20.10/32";

/** The pods that answer for the cluster's DNS service. */
const CLUSTER_DNS: Peer = {
  kind: "workloads",
  selector: {
    namespaces: selectorOfLabels({ "kubernetes.io/metadata.name": "kube-system" }),
    labels: selectorOfLabels({ "k8s-app": "kube-dns" }),
    serviceAccounts: [],
  },
};

function lifeline(id: string, client: Peer, server: Peer, services: readonly Service[], reason: string): AllowRule {
  return {
    id: `${LIFELINE_PREFIX}${id}`,
    client,
    server,
    services,
    reason,
    confidence: 1,
    widenings: [{ kind: "lifeline", text: reason, cells: 0 }],
  };
}

/** The name of the group of resolvers that `dnsLifelines` refers to. */
const RESOLVERS = "lifeline resolvers";

/** The node's own DNS cache and the resolvers that the inventory names. */
export function resolverGroup(inventory: Inventory): AddressGroup {
  return { name: RESOLVERS, cidrs: [...new Set([NODE_LOCAL_DNS, ...inventory.lifelines.resolvers])].sort() };
}

/**
 * Rules without which a pod with isolated egress cannot ask for any name: cluster DNS, and the addresses of
 * `resolverGroup`, which the policy set must hold. Like every rule they hold at both ends.
 */
export function dnsLifelines(isolations: readonly Isolation[]): AllowRule[] {
  const egress = isolations.filter((isolation) => isolation.direction === "egress");
  return egress.flatMap((isolation, index) => {
    const client: Peer = { kind: "workloads", selector: isolation.selector };
    const resolvers: Peer = { kind: "group", name: RESOLVERS };
    return [
      lifeline(`dns-${index + 1}`, client, CLUSTER_DNS, DNS, "names are asked at the cluster's DNS"),
      lifeline(
        `resolvers-${index + 1}`,
        client,
        resolvers,
        DNS,
        "names are asked at the node's cache and at resolvers",
      ),
    ];
  });
}

const ANYBODY: Peer = { kind: "any" };

/** Errors about traffic that is allowed: unreachable, time exceeded, parameter problem, and IPv6's packet too big. */
const ICMP_ERRORS = { 4: [3, 11, 12], 6: [1, 2, 3, 4] } as const;

/** Router and neighbour discovery (133..137) and multicast listeners (130..132, 143): without them IPv6 falls silent. */
const IPV6_NEIGHBOURHOOD = [130, 131, 132, 133, 134, 135, 136, 137, 143] as const;

const IGMP = 2;

/**
 * What a host needs whatever policy says; the rules stand before the policy and no generation changes them. The groups
 * that they refer to are in `groups`. Each holds for input and output alike.
 *
 * DHCP is told by its server and client ports as destinations alone: a source port is the sender's choice and would
 * protect nothing.
 */
export function hostLifelines({ lifelines }: Inventory): { rules: AllowRule[]; groups: AddressGroup[] } {
  const rules = [
    lifeline(
      "dhcp",
      ANYBODY,
      ANYBODY,
      [67, 68, 546, 547].map((each) => port("udp", each)),
      "hosts get their address by DHCP",
    ),
    lifeline("icmp", ANYBODY, ANYBODY, icmp("icmp", ICMP_ERRORS[4]), "ICMP errors steer allowed traffic"),
    lifeline(
      "icmpv6",
      ANYBODY,
      ANYBODY,
      icmp("icmpv6", [...ICMP_ERRORS[6], ...IPV6_NEIGHBOURHOOD]),
      "IPv6 needs its errors, neighbours and routers",
    ),
    lifeline("igmp", ANYBODY, ANYBODY, [{ kind: "protocol", protocol: IGMP }], "hosts join multicast groups"),
  ];
  const groups: AddressGroup[] = [];
  const group = (name: string, cidrs: readonly string[]): Peer => {
    groups.push({ name: `lifeline ${name}`, cidrs });
    return { kind: "group", name: `lifeline ${name}` };
  };
  if (lifelines.management.length > 0) {
    const management = group("management", lifelines.management);
    rules.push(lifeline("management", management, ANYBODY, [port("tcp", 22)], "hosts stay manageable over SSH"));
  }
  if (lifelines.resolvers.length > 0) {
    rules.push(
      lifeline("names", ANYBODY, group("resolvers", lifelines.resolvers), DNS, "names are asked at resolvers"),
    );
  }
  if (lifelines.timeServers.length > 0) {
    const servers = group("time servers", lifelines.timeServers);
    rules.push(lifeline("time", ANYBODY, servers, [port("udp", 123)], "clocks are set by NTP"));
  }
  lifelines.controllers.forEach((controller, index) => {
    const address: Peer = { kind: "cidr", cidr: formatCidr(parseCidr(controller.address)), except: [] };
    const reason = "enforcers reach their controller, whose own host accepts them";
    rules.push(lifeline(`controller-${index + 1}`, ANYBODY, address, [port("tcp", controller.port)], reason));
  });
  return { rules, groups };
}

export const UNJUDGED = `${LIFELINE_PREFIX}unjudged`;

/** What a plane does not judge, as a rule: everybody to everybody. */
export function unjudgedRule(services: readonly Service[], reason: string): AllowRule {
  return lifeline("unjudged", ANYBODY, ANYBODY, services, reason);
}
