import { parseAddress } from "../../model/address.js";
import { cidrContains, parseCidr } from "../../model/cidr.js";
import { matchesLabels } from "../../model/label-selector.js";
import { portRangeContains } from "../../model/port-range.js";
import { PROTOCOL_NUMBERS } from "../../model/protocol.js";
import { type Inventory, namespaceLabels, type Workload } from "../../model/workload.js";
import type { Peer, WorkloadSelector } from "../../policy/peer.js";
import type { PolicySet } from "../../policy/policy-set.js";
import type { Service } from "../../policy/service.js";

/** One end, fully known: who it is, and where. */
export interface NaiveEnd {
  readonly workload: Workload | undefined;
  readonly address: string | undefined;
}

/** The neutral model read word by word, one packet at a time, sharing nothing with the engine: what tests believe. */
export function naiveVerdict(
  policySet: PolicySet,
  inventory: Inventory,
  client: NaiveEnd,
  server: NaiveEnd,
  packet: { readonly protocol: number; readonly port: number; readonly icmpCode: number },
): "allowed" | "audited" | "denied" {
  if (client.workload !== undefined && client.workload.id === server.workload?.id) return "allowed";
  const isSelected = (selector: WorkloadSelector, workload: Workload) =>
    matchesLabels(selector.labels, workload.labels) &&
    matchesLabels(selector.namespaces, namespaceLabels(inventory, workload.namespace)) &&
    (selector.serviceAccounts.length === 0 ||
      selector.serviceAccounts.includes(`${workload.namespace}/${workload.serviceAccount}`));
  const isInside = (cidr: string, end: NaiveEnd) =>
    end.address !== undefined && cidrContains(parseCidr(cidr), parseAddress(end.address));
  const isPeer = (peer: Peer, end: NaiveEnd): boolean => {
    switch (peer.kind) {
      case "any":
        return true;
      case "workloads":
        return end.workload !== undefined && isSelected(peer.selector, end.workload);
      case "cidr":
        return isInside(peer.cidr, end) && !peer.except.some((cidr) => isInside(cidr, end));
      case "group":
        return inventory.groups.some((g) => g.name === peer.name && g.cidrs.some((cidr) => isInside(cidr, end)));
      case "fqdn":
        return false;
    }
  };
  const isSpoken = (service: Service): boolean => {
    switch (service.kind) {
      case "any":
        return true;
      case "protocol":
        return service.protocol === packet.protocol;
      case "ports":
        return PROTOCOL_NUMBERS[service.protocol] === packet.protocol && portRangeContains(service.ports, packet.port);
      case "icmp":
        return (
          PROTOCOL_NUMBERS[service.protocol] === packet.protocol &&
          (service.type === undefined || service.type === packet.port) &&
          (service.code === undefined || service.code === packet.icmpCode)
        );
    }
  };
  const isAllowed = policySet.rules.some(
    (rule) => isPeer(rule.client, client) && isPeer(rule.server, server) && rule.services.some(isSpoken),
  );
  const isClosed = (direction: "ingress" | "egress", mode: "audit" | "deny", workload: Workload | undefined) =>
    workload !== undefined &&
    policySet.isolations.some((i) => i.direction === direction && i.mode === mode && isSelected(i.selector, workload));
  if (isAllowed) return "allowed";
  if (isClosed("egress", "deny", client.workload) || isClosed("ingress", "deny", server.workload)) return "denied";
  if (isClosed("egress", "audit", client.workload) || isClosed("ingress", "audit", server.workload)) return "audited";
  return "allowed";
}
