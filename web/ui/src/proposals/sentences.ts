import { formatSelector } from "../../../../model/label-selector.js";
import { formatPortRange } from "../../../../model/port-range.js";
import { formatProtocol } from "../../../../model/protocol.js";
import type { Peer, Rule, Service } from "../../../api/contract.js";
import { shown } from "../format.js";

const METADATA_NAME = "kubernetes.io/metadata.name";

/** A peer for people: the namespace where one is named, then the labels. */
export function peerText(peer: Peer): string {
  switch (peer.kind) {
    case "any":
      return "everybody";
    case "group":
      return shown(peer.name);
    case "fqdn":
      return shown(peer.pattern);
    case "cidr":
      return peer.except.length === 0 ? peer.cidr : `${peer.cidr} except ${peer.except.join(", ")}`;
    case "workloads": {
      const { namespaces, labels, serviceAccounts } = peer.selector;
      const [only] = namespaces.requirements;
      const isNamed = namespaces.requirements.length === 1 && only?.operator === "In" && only.key === METADATA_NAME;
      const where = isNamed
        ? only.values.join("|")
        : namespaces.requirements.length === 0
          ? "any namespace"
          : `(${formatSelector(namespaces)})`;
      const who = labels.requirements.length === 0 ? "every workload" : formatSelector(labels);
      const as = serviceAccounts.length === 0 ? "" : ` as ${serviceAccounts.join(", ")}`;
      return shown(`${where}: ${who}${as}`);
    }
  }
}

export function serviceText(service: Service): string {
  switch (service.kind) {
    case "ports":
      return `${service.protocol}/${formatPortRange(service.ports)}`;
    case "icmp":
      return service.type === undefined
        ? service.protocol
        : `${service.protocol} type ${service.type}${service.code === undefined ? "" : ` code ${service.code}`}`;
    case "protocol":
      return formatProtocol(service.protocol);
    case "any":
      return "anything";
  }
}

export const servicesText = (rule: Rule): string => rule.services.map(serviceText).join(", ");
